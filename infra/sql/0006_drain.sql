-- What an operator wants of a server or a VM: closed for new containers, or emptied, which closes it, too.

ALTER TABLE server
  ADD COLUMN draining boolean NOT NULL DEFAULT false,
  ADD CHECK (cordoned OR NOT draining);

ALTER TABLE vm
  ADD COLUMN cordoned boolean NOT NULL DEFAULT false,
  ADD COLUMN draining boolean NOT NULL DEFAULT false,
  ADD CHECK (cordoned OR NOT draining);
