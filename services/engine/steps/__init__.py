"""The steps that change the desk, one module per subject. Every step works on the decision's ``Transition``."""
