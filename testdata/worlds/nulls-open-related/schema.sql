CREATE TABLE "people" (
  "id" INTEGER PRIMARY KEY,
  "created" DATE
);
INSERT INTO "people" VALUES (1, '2001-01-01');
INSERT INTO "people" VALUES (2, '2001-01-01');
CREATE TABLE "contracts" (
  "id" INTEGER PRIMARY KEY,
  "person_id" INTEGER,
  "ended" DATE
);
INSERT INTO "contracts" VALUES (1, 1, '2010-05-05');
INSERT INTO "contracts" VALUES (2, 1, NULL);
INSERT INTO "contracts" VALUES (3, 2, '2010-05-05');
