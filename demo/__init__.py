"""The connector's main job shown on real parts: see script/demo."""
