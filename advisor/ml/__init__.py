"""Ranges, signals and phases by the numbers: pure, without clock, network or files (docs/explanation/forecasts.md).

Order of reading: ``bars`` and ``labels`` say what is measured, ``walk`` how it is measured without looking ahead,
``ladder`` what is served, ``train`` makes the cards, ``forecast``, ``signals`` and ``amd`` answer with them.
Nothing here needs numpy; only ``boosted`` does, where a card earned a LightGBM model.
"""
