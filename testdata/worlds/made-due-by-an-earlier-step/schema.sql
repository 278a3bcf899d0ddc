CREATE TABLE "people" (
  "id" INTEGER PRIMARY KEY,
  "created" DATE
);
INSERT INTO "people" VALUES (1, '2010-01-01');
INSERT INTO "people" VALUES (2, '2012-01-01');
CREATE TABLE "contacts" (
  "id" INTEGER PRIMARY KEY,
  "person_id" INTEGER,
  "at" DATE
);
INSERT INTO "contacts" VALUES (1, 1, '2023-06-01');
