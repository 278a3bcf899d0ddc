CREATE TABLE "people" (
  "id" INTEGER PRIMARY KEY,
  "created" DATE
);
INSERT INTO "people" VALUES (1, '2020-01-10');
CREATE TABLE "contracts" (
  "id" INTEGER PRIMARY KEY,
  "person_id" INTEGER,
  "ended" DATE
);
INSERT INTO "contracts" VALUES (1, 1, '2020-01-10');
