// Package s3 is the connector for buckets of S3 services.
//
// An object is a name with all its versions and delete markers: it is gone only when
// all of them are. Its time is the latest of theirs; a clock from metadata or tags is
// of the newest version with content. Whom it is about is what all of them say: where
// they differ it is unresolved. Where a bucket never had versions, an object is what
// its name has now.
//
// An object is removed only if it still is what was tested: the same versions, the
// same ETags and times, looked at again right before. That look and the removal are
// two requests, and S3 has no transactions. What a writer puts in between:
//
//   - With versions it is a version of its own, which nothing here names: it stays. All
//     that was tested goes, and counts as gone; what was put is a new object under the
//     old name, with a time of its own. To stop halfway would leave a part of an object
//     that nobody counts; a delete marker set first would hide the new content, and be
//     a trace of ours with a new time. So the count is of what was planned, and says
//     nothing of what came since.
//   - Without versions, and for the version called null where they are suspended, the
//     removal names the ETag, and the object counts as changed. Where services compare
//     it is tried once with an object of our own, .retentiond-try: in requests of many
//     names, or else in requests of one. Where a service compares it nowhere, what is
//     put in that instant is lost; check says so of buckets without versions. An ETag is
//     of the content: the same content put again may go. A delete marker called null has
//     none.
//
// Versions go by their identifiers, up to a thousand in a request: first the older
// ones; the newest only once the service has said of each of those that it is gone.
// So nothing that was hidden shows again, and an object of which something stays is
// there with its time, fails, and is due again in the next run. What a request did is
// looked up, whatever the service said of it. An object of which older versions went and the newest
// stayed counts as failed: it counts once, when nothing of it is left.
//
// Object Lock is honoured: what a retention date or a legal hold keeps is protected, be
// it an older version alone. Where the bucket has it, each version is asked for both,
// when it is listed and right before it goes; who may not ask gets an error. No request
// ever asks to bypass a lock.
//
// An object is archived with the content of each version, asked for by its identifier
// and ETag. Where the removal names no identifier that lasts, and the ETag is not the MD5
// of what was read, the content is read again right before, and must be the same. What
// breaks off is asked for again from there on. Contents are streamed.
//
// The object .retentiond-gate binds a prefix to the one gate, and so to the one state
// store, that acts on it. It is no lock: a copy of that gate file on another machine
// is not found out. A bucket without it settles nothing.
//
// Rights that it needs, by their names on AWS: ListBucket, ListBucketVersions,
// GetBucketVersioning and GetBucketObjectLockConfiguration of the bucket; GetObject,
// GetObjectVersion, DeleteObject and DeleteObjectVersion below the prefix, with
// GetObjectTagging and GetObjectVersionTagging where rules ask for tags, or tags are
// archived, and
// GetObjectRetention and GetObjectLegalHold where the bucket locks objects; PutObject
// of the two objects whose names begin with .retentiond- alone. A plan needs no right to
// write or to delete. BypassGovernanceRetention is never used, and better not given.
package s3
