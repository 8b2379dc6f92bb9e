-- What is known of resources that are not fit to be given, or that the lab spoiled a use of.
CREATE TABLE health (node TEXT PRIMARY KEY, body TEXT NOT NULL);
