CREATE TABLE "select" (
  "id" INTEGER PRIMARY KEY,
  "seen" INTEGER,
  "person" INTEGER,
  "other" INTEGER,
  "status" TEXT,
  "amount" INTEGER,
  "born" DATE,
  "done at" TEXT
);
INSERT INTO "select" VALUES (1, 1677538800000, 1, NULL, NULL, NULL, '2021-02-29', '2020-01-01T00:00:00Z');
CREATE TABLE "select c0" (
  "id" INTEGER PRIMARY KEY,
  "p_0" INTEGER,
  "at" DATE,
  "who" TEXT,
  "status" TEXT,
  "amount" INTEGER
);
INSERT INTO "select c0" VALUES (1, 1, '2025-03-02', '2', 'open', 120);
INSERT INTO "select c0" VALUES (8, 1, '1900-01-01', '6', 'opened', 119);
INSERT INTO "select c0" VALUES (4, 1, NULL, '6', 'open', NULL);
INSERT INTO "select c0" VALUES (11, 1, '2022-04-02', NULL, NULL, 119);
INSERT INTO "select c0" VALUES (7, 1, '2022-03-29', NULL, 'closed', -7);
INSERT INTO "select c0" VALUES (3, 1, '2022-03-29', NULL, NULL, NULL);
INSERT INTO "select c0" VALUES (10, 1, '2024-02-28', '3', 'opened', 120);
INSERT INTO "select c0" VALUES (6, 1, '2020-01-01T25:00', '6', 'open', NULL);
CREATE TABLE "select c1" (
  "id" INTEGER PRIMARY KEY,
  "p_0" INTEGER,
  "at" TEXT,
  "who" INTEGER,
  "status" TEXT,
  "amount" INTEGER
);
INSERT INTO "select c1" VALUES (1, NULL, NULL, 1, NULL, NULL);
