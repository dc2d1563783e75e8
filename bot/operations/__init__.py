"""The execution path: resolve, authorize, execute, backend_call, reconcile, completion, watcher, next_steps, cards."""
