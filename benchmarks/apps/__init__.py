"""The same endpoints in each framework, at the same paths.

/nothing               accept, wait for the end
/four/{room}           the same with a path, two query and one header parameter
/ten, /ten-threads     the same with the ten dependencies of `graph`, and a class with three services
/echo                  each text frame back to its sender
"""
