"""One folder per kind of control plane; each exports PLUGIN and knows only the core and the HTTP kit."""
