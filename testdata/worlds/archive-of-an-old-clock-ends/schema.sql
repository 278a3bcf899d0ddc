CREATE TABLE "people" (
  "id" INTEGER PRIMARY KEY,
  "created" DATE
);
INSERT INTO "people" VALUES (1, '1960-01-10');
