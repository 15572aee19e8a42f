"""The clinic's name and colours, the same in every format (hexadecimal, without '#')."""

CLINIC = "Clinique des Tilleuls"
FICTION = {
    "fr": "Document de démonstration fictif",
    "en": "Fictional demonstration document",
}
PAGE_OF = {"fr": "Page {page} sur {total}", "en": "Page {page} of {total}"}
CONTENTS = {"fr": "Sommaire", "en": "Contents"}
OWNER = {"fr": "Responsable du document", "en": "Document owner"}

DARK = "24523F"
ACCENT = "8AA64A"
LIGHT = "EEF3E6"
GREY = "5F6B66"
