"""What every test shares: hypothesis takes the time it needs, an overloaded machine is no failure."""

from hypothesis import HealthCheck, settings

settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("desk")
