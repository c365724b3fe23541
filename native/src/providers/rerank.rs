//! Rerank: the question and the documents as each provider takes them, the ranking as Cohere gives it.
//!
//! Sources: docs.cohere.com/reference/rerank, jina.ai/reranker, docs.voyageai.com/reference/reranker-api,
//! docs.nvidia.com/nim (retrieval), huggingface.github.io/text-embeddings-inference.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Reading;
use super::dialect::{Answered, Events, bytes_of, refused};
use crate::failure::Failure;
use crate::ids;
use crate::surface::{AnswerProblem, Surface, SurfaceReading};

/// A request for a ranking as its provider takes it.
#[derive(Debug)]
pub(crate) struct Worded {
    pub path: String,
    pub body: Bytes,
    pub reading: Box<dyn Reading>,
}

/// What Jina documents; what else Cohere takes it refuses.
const JINAS: &[&str] = &["model", "query", "documents", "top_n", "return_documents"];

/// The request in the provider's words; `body`: in Cohere's.
pub(crate) fn word(provider: &str, model: &str, body: &[u8]) -> Result<Worded, Failure> {
    let mut body: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| refused(format!("the request cannot be read: {error}")))?;
    let Some(documents) = body.get("documents").and_then(Value::as_array).cloned() else {
        return Err(refused("documents must be a list of texts, or of dicts with a text"));
    };
    let returns = body.get("return_documents").is_some_and(|returns| returns == true);
    let mut path = "/rerank".to_owned();
    match provider {
        "nvidia_nim" => {
            path = format!("/v1/retrieval/{model}/reranking");
            let passages: Vec<Value> = documents
                .iter()
                .map(|document| json!({"text": text_of(document)}))
                .collect();
            let mut theirs = Map::new();
            theirs.insert("model".to_owned(), model.into());
            theirs.insert("query".to_owned(), json!({"text": body.get("query")}));
            theirs.insert("passages".to_owned(), passages.into());
            if let Some(most) = body.remove("top_n") {
                theirs.insert("top_k".to_owned(), most);
            }
            body = theirs;
        }
        "huggingface" => {
            let texts: Vec<&str> = documents.iter().map(text_of).collect();
            let theirs = json!({"query": body.get("query"), "texts": texts, "raw_scores": false, "return_text": returns,
                "truncate": false, "truncation_direction": "Right"});
            body = theirs.as_object().cloned().unwrap_or_default();
        }
        "jina_ai" => body.retain(|name, _| JINAS.contains(&name.as_str())),
        "voyage" => {
            if let Some(most) = body.remove("top_n") {
                body.insert("top_k".to_owned(), most);
            }
        }
        _ => {}
    }
    Ok(Worded {
        path,
        body: bytes_of(&Value::Object(body)),
        reading: Box::new(Ranking {
            // Providers that do not give the documents back leave that to us.
            documents: if returns && matches!(provider, "nvidia_nim" | "huggingface") {
                documents
            } else {
                Vec::new()
            },
        }),
    })
}

fn text_of(document: &Value) -> &str {
    let text = document.as_str().or_else(|| document.get("text")?.as_str());
    text.unwrap_or_default()
}

#[derive(Debug)]
struct Ranking {
    /// Those asked about, where the answer is to hold them.
    documents: Vec<Value>,
}

impl Reading for Ranking {
    fn answer(&self, body: &Bytes) -> Result<Answered, String> {
        let facts = match Surface::Rerank.read_answer(body) {
            Ok(facts) => facts,
            Err(AnswerProblem::Failed(_, error)) => return Ok(Answered::Error(error)),
            Err(AnswerProblem::Unreadable(why)) => return Err(why),
        };
        let answer: Value = serde_json::from_slice(body).map_err(|_| "the body is not JSON".to_owned())?;
        let rankings = ["results", "rankings", "data"]
            .iter()
            .find_map(|name| answer.get(*name)?.as_array())
            .or(answer.as_array())
            .ok_or("the body has no results")?;
        let results: Vec<Value> = rankings.iter().map(|ranked| self.result(ranked)).collect();
        let id = answer.get("id").filter(|id| id.is_string()).cloned();
        let mut out = json!({"id": id.unwrap_or_else(|| format!("rerank-{:016x}", ids::random_u64()).into()), "results": results});
        out["meta"] = match (answer.get("meta"), answer.get("usage")) {
            (Some(meta), _) => meta.clone(),
            (None, Some(usage)) => json!({"billed_units": {"total_tokens": usage.get("total_tokens")}}),
            (None, None) => json!({}),
        };
        Ok(Answered::Whole(facts, bytes_of(&out)))
    }

    fn events(&self) -> Box<dyn Events> {
        SurfaceReading(Surface::Rerank).events()
    }
}

impl Ranking {
    fn result(&self, ranked: &Value) -> Value {
        let score = ["relevance_score", "score", "logit"]
            .iter()
            .find_map(|name| ranked.get(*name));
        let mut result = json!({"index": ranked.get("index"), "relevance_score": score});
        let index = ranked.get("index").and_then(Value::as_u64);
        let own = index.and_then(|index| self.documents.get(usize::try_from(index).ok()?));
        let document = ranked.get("document").or_else(|| ranked.get("text")).or(own);
        match document {
            Some(Value::String(text)) => result["document"] = json!({"text": text}),
            Some(document) if !document.is_null() => result["document"] = document.clone(),
            _ => {}
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(provider: &str, answer: &'static str) -> Value {
        let asked = br#"{"model":"m","query":"q","documents":["a",{"text":"b"}],"top_n":1,"return_documents":true}"#;
        let worded = word(provider, "nvidia/m", asked).expect("a request");
        match worded.reading.answer(&Bytes::from_static(answer.as_bytes())) {
            Ok(Answered::Whole(_, body)) => serde_json::from_slice(&body).expect("JSON"),
            other => panic!("no ranking: {other:?}"),
        }
    }

    #[test]
    fn rankings_of_all_kinds_become_cohere_s() {
        for (provider, answer) in [
            (
                "jina_ai",
                r#"{"results":[{"index":1,"relevance_score":0.5,"document":{"text":"b"}}]}"#,
            ),
            ("nvidia_nim", r#"{"rankings":[{"index":1,"logit":0.5}]}"#),
            ("huggingface", r#"[{"index":1,"score":0.5}]"#),
            (
                "voyage",
                r#"{"data":[{"index":1,"relevance_score":0.5,"document":"b"}]}"#,
            ),
        ] {
            let expected = json!([{"index": 1, "relevance_score": 0.5, "document": {"text": "b"}}]);
            assert_eq!(ranked(provider, answer)["results"], expected, "{provider}");
        }
    }

    #[test]
    fn each_provider_is_asked_in_its_words() {
        let asked = br#"{"model":"m","query":"q","documents":["a"],"top_n":1,"rank_fields":["x"]}"#;
        let body = |provider: &str| -> Value {
            serde_json::from_slice(&word(provider, "m", asked).expect("a request").body).expect("JSON")
        };
        assert_eq!(
            body("nvidia_nim"),
            json!({"model": "m", "query": {"text": "q"}, "passages": [{"text": "a"}], "top_k": 1})
        );
        assert_eq!(body("huggingface")["texts"], json!(["a"]));
        assert_eq!(body("jina_ai").get("rank_fields"), None);
        assert!(word("jina_ai", "m", br#"{"query":"q"}"#).is_err());
    }
}
