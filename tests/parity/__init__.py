"""litellm's recorded behaviour, case by case, against this package."""
