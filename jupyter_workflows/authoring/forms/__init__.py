"""Forms: pages of fields that a person fills in, in the middle of a notebook."""

from __future__ import annotations

from ..errors import FormError, FormParked

__all__ = ["FormError", "FormParked"]
