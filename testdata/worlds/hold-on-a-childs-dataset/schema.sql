CREATE TABLE "People of ours" (
  "no" INTEGER NOT NULL,
  "Sub Key" TEXT NOT NULL,
  "seen" INTEGER,
  "person" TEXT,
  "other" TEXT,
  "status" TEXT,
  "amount" INTEGER,
  "nick" TEXT NOT NULL,
  "token" TEXT NOT NULL UNIQUE,
  PRIMARY KEY ("Sub Key", "no")
);
INSERT INTO "People of ours" VALUES (1, 'k''1', 1764646200, '1', '6', 'closed', NULL, 'Zoë', 'token-0');
INSERT INTO "People of ours" VALUES (8, 'k''2', 1764774000, '2', '1', NULL, NULL, 'Zoë', 'token-1');
INSERT INTO "People of ours" VALUES (4, 'k''1', 1749612600, '4', '3', 'open', NULL, 'Zoë', 'token-2');
INSERT INTO "People of ours" VALUES (11, 'k''2', 1672412400, '2', '2', 'open', 260, 'Zoë', 'token-3');
INSERT INTO "People of ours" VALUES (7, 'k''1', 1672709400, '1', '1', NULL, NULL, '-', 'token-4');
INSERT INTO "People of ours" VALUES (3, 'k''0', 1735623000, '1', NULL, 'open', 120, '-', 'token-5');
INSERT INTO "People of ours" VALUES (10, 'k''1', 1765855800, '6', '3', NULL, 120, '-', 'token-6');
INSERT INTO "People of ours" VALUES (6, 'k''0', 1763305200, '1', NULL, 'opened', 260, 'Zoë', 'token-7');
INSERT INTO "People of ours" VALUES (2, 'k''2', 1731510000, '1', '6', NULL, 260, '-', 'token-8');
INSERT INTO "People of ours" VALUES (9, 'k''0', 636649200, '1', NULL, NULL, 260, 'Zoë', 'token-9');
CREATE TABLE "People of ours c0" (
  "id" INTEGER PRIMARY KEY,
  "p_0" TEXT,
  "p_1" INTEGER,
  "at" DATE,
  "who" INTEGER,
  "status" TEXT,
  "amount" INTEGER
);
INSERT INTO "People of ours c0" VALUES (1, 'k''0', 9, '1997-01-10', 3, 'open', 120);
INSERT INTO "People of ours c0" VALUES (8, 'k''1', 4, '2022-12-30', NULL, 'open', 119);
CREATE TABLE "People of ours c1" (
  "id" INTEGER PRIMARY KEY,
  "p_0" TEXT,
  "p_1" INTEGER,
  "at" TIMESTAMP,
  "who" INTEGER,
  "status" TEXT,
  "amount" INTEGER
);
INSERT INTO "People of ours c1" VALUES (1, 9999, 9999, '2017-10-15T00:30:00-09', 3, 'open', NULL);
INSERT INTO "People of ours c1" VALUES (8, 'k''2', 8, '2022-06-14T23:59:59.000+02:00', 1, 'opened', NULL);
INSERT INTO "People of ours c1" VALUES (4, 'k''1', 7, '2025-12-04T00:00:00Z', NULL, 'opened', NULL);
INSERT INTO "People of ours c1" VALUES (11, 'k''0', 6, '2020-08-31T23:59:59.000+02:00', 6, 'open', NULL);
INSERT INTO "People of ours c1" VALUES (7, 'k''2', 11, NULL, 3, NULL, 120);
INSERT INTO "People of ours c1" VALUES (3, NULL, NULL, '2022-12-29', 1, 'open', 119);
INSERT INTO "People of ours c1" VALUES (10, 'k''2', 8, '2002-11-15T12:00:00.000+02:00', 5, 'open', 119);
INSERT INTO "People of ours c1" VALUES (6, 'k''1', 1, '2025-12-29T03:00:00-09', 3, NULL, NULL);
INSERT INTO "People of ours c1" VALUES (2, 'k''0', 9, '2021-11-26T02:30:00-09', 1, NULL, 120);
CREATE TABLE "group" (
  "id" INTEGER PRIMARY KEY,
  "seen" DATE,
  "person" TEXT,
  "other" TEXT,
  "status" TEXT,
  "amount" INTEGER,
  "name" TEXT,
  "ip" TEXT,
  "token" TEXT NOT NULL UNIQUE
);
CREATE TABLE "group c0" (
  "id" INTEGER PRIMARY KEY,
  "p_0" INTEGER,
  "at" INTEGER,
  "who" INTEGER,
  "status" TEXT,
  "amount" INTEGER
);
INSERT INTO "group c0" VALUES (1, 9999, 928249200000, 3, 'closed', -7);
CREATE TABLE "crédits" (
  "id" INTEGER PRIMARY KEY,
  "seen" DATETIME,
  "Created At" TIMESTAMP,
  "person" INTEGER,
  "other" INTEGER,
  "status" TEXT,
  "amount" INTEGER,
  "name" TEXT,
  "ip" TEXT,
  "done at" TEXT
);
CREATE INDEX "ix crédits 0" ON "crédits" ("seen");
INSERT INTO "crédits" VALUES (1, '9999-12-31', '2022-12-30T03:00:00Z', 2, 3, 'closed', 119, 'Bé日本', 'nowhere', '2020-01-01T00:00:00Z');
INSERT INTO "crédits" VALUES (8, NULL, '2451545', 3, 1, 'open', 120, 'Bé日本', NULL, '2020-01-01T00:00:00Z');
CREATE TABLE "crédits c0" (
  "id" INTEGER PRIMARY KEY,
  "p_0" INTEGER,
  "at" DATE,
  "who" TEXT,
  "status" TEXT,
  "amount" INTEGER
);
