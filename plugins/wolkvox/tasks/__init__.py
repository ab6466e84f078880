"""What each task of a run does, with whatever it is handed."""
