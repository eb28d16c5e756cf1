"""The local engine: a sweep with no server.

Optuna keeps the study and suggests values; the controller starts trials, stops those without hope,
and can be killed and resumed at any moment.
"""
