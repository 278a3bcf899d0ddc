CREATE TABLE "people" (
  "id" INTEGER PRIMARY KEY,
  "created" DATE,
  "mail" TEXT
);
INSERT INTO "people" VALUES (1, '2001-01-01', 'a@x');
INSERT INTO "people" VALUES (2, '2025-01-01', 'a@x');
CREATE TABLE "letters" (
  "id" INTEGER PRIMARY KEY,
  "mail" TEXT
);
INSERT INTO "letters" VALUES (1, 'a@x');
