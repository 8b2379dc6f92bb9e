-- The key that everything with secrets in it is sealed with, and a text that only this key opens.
CREATE TABLE seal (name TEXT PRIMARY KEY, proof TEXT NOT NULL);
