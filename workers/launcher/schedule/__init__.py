"""From matched ids to durable timers: the handler of `profuse.matches`.

In: what a matcher announced. Out: groups of launches, and an `import_api` event per item. Promise: one launch per item and trigger.
"""
