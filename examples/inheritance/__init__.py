"""Controllers that share code: an abstract generic base, a mixin, overrides, and a route that is taken away."""
