"""Clock, scheduler, task queue, locks, limits and the context of all steps."""
