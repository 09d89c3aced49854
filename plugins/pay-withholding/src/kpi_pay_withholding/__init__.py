"""Pay of an agreed component is withheld while a unit is short of its task, and released when it is met."""
