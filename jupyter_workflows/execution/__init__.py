"""Executing one attempt of a stage: papermill engine, kernels, executors."""
