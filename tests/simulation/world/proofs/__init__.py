"""What must hold. Each proof looks at the world and returns what it finds wrong, in sentences."""
