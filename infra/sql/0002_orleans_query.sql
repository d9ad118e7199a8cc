-- Orleans' ADO.NET providers carry no SQL of their own: at their start they read every statement they will run from here.

CREATE TABLE OrleansQuery (
  QueryKey   varchar(64) PRIMARY KEY,
  QueryText  text NOT NULL
);
