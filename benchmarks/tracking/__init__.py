"""How closely rendered sound follows its targets."""
