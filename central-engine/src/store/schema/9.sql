-- Whether one EP alone may come with this token, and which has: nothing where any number may, an empty text as long as none has, else the
-- id of its work folder, a blank, and its name.
ALTER TABLE token ADD COLUMN joined TEXT;
