CREATE TABLE "people" (
  "id" INTEGER PRIMARY KEY,
  "created" DATE
);
INSERT INTO "people" VALUES (1, '2020-01-10');
