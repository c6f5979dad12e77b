import Crypto
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import PGClient
import Tenancy

/// `/v1/sync`: a device's practice in, the person's state out.
struct SyncRoutes: Sendable {
    let database: TenantDatabase
    let doorbell: SyncDoorbell
    let now: @Sendable () -> Date

    static let mostSessions = SessionBound.mostSessions

    func add(to routes: some RouterMethods<MemberContext>) {
        routes.group("sync")
            .post(use: submitBatch)
            .put("export", use: submitExport)
            .get("state", use: ownState)
            .post("reset", use: reset)
    }

    // MARK: A batch

    /// What a batch is answered.
    struct BatchAnswer: Encodable {
        let batchId: String
        let syncVersion: Int
        let epoch: Int
        let state: GameState
        /// Of other devices, in the order in which they came.
        let sessions: [StoredSession]
        let outcomes: [ItemOutcome]
        let receipt: [ReceiptEntry]
        let next: NextSync
    }

    /// `POST /v1/sync`: takes up what a device has that isn't here, and hands out what
    /// it doesn't have. The same `batchId` gets the same answer.
    @Sendable func submitBatch(_ request: Request, in context: MemberContext) async throws -> Response {
        let body = try await JSON.bytes(of: request)
        let batch = try JSON.decode(SyncBatch.self, from: body)
        let conditions = try Conditions(request)
        let digest = Array(SHA256.hash(data: body))
        let (answer, news) = try await take(batch, digest: digest, conditions, as: context.principal)
        if let news { doorbell.ring(for: context.principal, at: news, by: batch.device.id.text) }
        return JSON.response(bytes: answer)
    }

    /// How many sessions are stored that count for nothing, or were cleared, only Postgres knows, and says so with the
    /// commit. Where they are too many, those that would be more of them are refused, and the rest is taken up.
    private func take(
        _ batch: SyncBatch,
        digest: [UInt8],
        _ conditions: Conditions,
        as principal: Principal
    ) async throws -> (answer: [UInt8], news: Int?) {
        do {
            return try await database.write(as: principal) { tx in
                try await merge(batch, digest: digest, conditions, in: tx)
            }
        } catch let error as PGError where error.sqlState?.rawValue == "BM413" {
            return try await database.write(as: principal) { tx in
                try await merge(batch, digest: digest, conditions, isFull: true, in: tx)
            }
        }
    }

    /// One batch, one transaction, two round trips: what it touches is read in the
    /// first, and everything is written with the commit.
    /// - Parameter isFull: there is no room for sessions that Postgres has to count.
    /// - Returns: the answer, and the version that it made if other devices should hear of it.
    private func merge(
        _ batch: SyncBatch,
        digest: [UInt8],
        _ conditions: Conditions,
        isFull: Bool = false,
        in tx: TenantTransaction
    ) async throws -> (answer: [UInt8], news: Int?) {
        let now = Instant(now())
        let reading = try await tx.lockedLedger(for: batch, clockOffset: conditions.clockOffset(at: now))
        let before = reading.stored
        try before.refuseRevoked(batch.device, of: tx.principal)
        if let replay = reading.replay {
            guard replay.digest == digest else { throw Problem.batchIDTaken }
            if let answer = replay.answer { return (answer, nil) }
        }
        try conditions.check(before, at: now)
        let merge = Merge(
            batch,
            into: before.ledger,
            base: reading.base(of: batch),
            syncVersion: before.revision.version + 1,
            dayStart: before.dayStart,
            deviceClock: conditions.deviceClock,
            bound: isFull ? .full(inEpoch: before.ledger.epoch) : SessionBound(),
            now: now
        )
        guard merge.eligibility.eligible else { throw Problem.notEligible(merge.eligibility) }

        let deviceID = batch.device.id.text
        let revision = before.revision.following(merge, by: deviceID, at: now)
        let others = reading.othersSessions(after: merge, by: deviceID, as: revision)
        let today = LocalDay(of: now, in: batch.device.timeZone, startingAt: before.dayStart)
        let answer = BatchAnswer(
            batchId: batch.batchID.text,
            syncVersion: revision.version,
            epoch: merge.ledger.epoch,
            state: GameState(
                merge.ledger,
                totals: merge.totals,
                asOf: today,
                streakAsOf: merge.streakToday,
                revision: revision
            ),
            sessions: Array(others.prefix(SyncBatch.mostItems)),
            outcomes: merge.outcomes,
            receipt: merge.receipt,
            next: NextSync(
                after: now,
                in: batch.device.timeZone,
                every: before.frequency,
                moreSessions: others.count > SyncBatch.mostItems
            )
        )
        let bytes = try JSONOutput.bytes(of: answer)
        // One that was forgotten, as the person wanted, is made again, and isn't kept again.
        let record =
            reading.replay == nil
            ? BatchRecord(
                batchID: batch.batchID,
                deviceID: deviceID,
                digest: digest,
                answer: bytes,
                receivedAt: now
            ) : BatchRecord(handingTo: deviceID, at: now)
        try tx.store(merge, over: before, as: revision, record)
        return (bytes, merge.changesState ? revision.version : nil)
    }

    // MARK: An export

    struct ExportAnswer: Encodable {
        let state: GameState
        let receipt: [ReceiptEntry]
        let sessions: [ItemOutcome]
        let eligibility: Eligibility
    }

    /// `PUT /v1/sync/export`: unites the extension's export with what is known.
    /// Sending it again changes nothing.
    @Sendable func submitExport(_ request: Request, in context: MemberContext) async throws -> Response {
        let submission = try await JSON.decode(ExportSubmission.self, from: request)
        let conditions = try Conditions(request)
        return try JSON.response(try await submit(submission, conditions, as: context.principal))
    }

    /// One export, one transaction: the merge, what it adds up to, the boards.
    func submit(
        _ submission: ExportSubmission,
        _ conditions: Conditions = Conditions(),
        as principal: Principal
    ) async throws -> ExportAnswer {
        let (answer, isNews) = try await database.write(as: principal) { tx in
            let now = Instant(now())
            let deviceID = submission.device.id.text
            let baseVersion = submission.baseVersion ?? 0
            let (before, batches) = try await tx.lockedLedger(handedAs: baseVersion, to: deviceID)
            try before.refuseRevoked(submission.device, of: tx.principal)
            try conditions.check(before, at: now)
            let merge = Merge(
                submission,
                into: before.ledger,
                base: baseVersion == 0 ? .nothing : batches.first?.hand,
                dayStart: before.dayStart,
                deviceClock: conditions.deviceClock,
                now: now
            )
            guard merge.eligibility.eligible else { throw Problem.notEligible(merge.eligibility) }
            guard merge.ledger.sessions.count <= Self.mostSessions else {
                throw Problem.tooManySessions("export.breathMaster.meditation.sessions")
            }
            let revision = before.revision.following(merge, by: deviceID, at: now)
            let record = BatchRecord(handingTo: deviceID, at: now)
            try tx.store(merge, over: before, as: revision, record)
            let today = LocalDay(of: merge.asOf, in: submission.device.timeZone, startingAt: before.dayStart)
            let answer = ExportAnswer(
                state: GameState(
                    merge.ledger,
                    totals: merge.totals,
                    asOf: today,
                    streakAsOf: merge.streakToday,
                    revision: revision
                ),
                receipt: merge.receipt,
                sessions: merge.outcomes,
                eligibility: merge.eligibility
            )
            return (answer, merge.changesState)
        }
        if isNews {
            doorbell.ring(for: principal, at: answer.state.syncVersion, by: submission.device.id.text)
        }
        return answer
    }

    // MARK: The state

    /// `GET /v1/sync/state`: the person's state, its streak as of today where they are.
    @Sendable func ownState(_ request: Request, in context: MemberContext) async throws -> Response {
        let stored = try await database.read(as: context.principal) { tx in
            try await tx.ledger()
        }
        let tag = stored.entityTag(at: Instant(now()))
        if request.headers[.ifNoneMatch].map({ $0 == "*" || $0.contains(tag) }) ?? false {
            return Response(status: .notModified, headers: [.eTag: tag, .cacheControl: "no-cache"])
        }
        var response = try JSON.response(stored.state(at: Instant(now())))
        response.headers[.eTag] = tag
        response.headers[.cacheControl] = "no-cache"
        return response
    }

    private struct ResetBody: Decodable {
        let device: DeviceDescription
        let epoch: Count
    }

    /// `POST /v1/sync/reset`: "clear data" for the whole person. A new epoch begins; the
    /// same again, by someone who hasn't seen that, changes nothing.
    @Sendable func reset(_ request: Request, in context: MemberContext) async throws -> Response {
        let body = try await JSON.decode(ResetBody.self, from: request)
        let conditions = try Conditions(request)
        let (state, isNews) = try await database.write(as: context.principal) { tx in
            let now = Instant(now())
            let deviceID = body.device.id.text
            let (before, _) = try await tx.lockedLedger(handedAs: 0, to: deviceID)
            try before.refuseRevoked(body.device, of: tx.principal)
            guard body.epoch.value == before.ledger.epoch else { return (before.state(at: now), false) }
            try conditions.check(before, at: now)
            guard before.ledger.eligibleAt != nil else { throw Problem.nothingToReset }
            let merge = Merge(clearingBy: body.device, in: before.ledger, now: now)
            let revision = before.revision.following(merge, by: deviceID, at: now)
            let record = BatchRecord(handingTo: deviceID, at: now)
            try tx.store(merge, over: before, as: revision, record)
            let after = StoredLedger(
                ledger: merge.ledger,
                revision: revision,
                dayStart: before.dayStart,
                frequency: before.frequency,
                devicesOfThisSignIn: before.devicesOfThisSignIn,
                revokedDevices: before.revokedDevices
            )
            return (after.state(at: now), true)
        }
        if isNews { doorbell.ring(for: context.principal, at: state.syncVersion, by: body.device.id.text) }
        return try JSON.response(state)
    }
}

extension StoredLedger {
    /// A sign-in brings a device back that was revoked. A token of a program doesn't: it is good for any device, so
    /// that revoking one would end nothing.
    fileprivate func refuseRevoked(_ device: DeviceDescription, of principal: Principal) throws {
        guard principal.signIn == nil, revokedDevices.contains(device.id.text) else { return }
        throw Problem.deviceRevoked
    }

    /// Where the person was when they last synced.
    private var zone: Zone {
        ledger.devices.values.max { $0.lastTakenAt < $1.lastTakenAt }?.zone ?? .utc
    }

    func today(at instant: Instant) -> LocalDay {
        LocalDay(of: instant, in: zone, startingAt: dayStart)
    }

    /// Today for a streak, which no journey ends.
    func streakToday(at instant: Instant) -> LocalDay {
        ledger.streakToday(at: instant, in: zone, startingAt: dayStart)
    }

    func state(at instant: Instant) -> GameState {
        GameState(
            ledger,
            totals: Totals(of: ledger),
            asOf: today(at: instant),
            streakAsOf: streakToday(at: instant),
            revision: revision
        )
    }

    /// The state changes with each sync, and with the day: a streak ends by itself.
    func entityTag(at instant: Instant) -> String {
        "\"\(ledger.epoch)-\(revision.version)-\(today(at: instant))-\(streakToday(at: instant))\""
    }
}

extension Revision {
    /// The one that a merge makes: the same where nothing is different.
    fileprivate func following(_ merge: Merge, by deviceID: String, at now: Instant) -> Revision {
        guard merge.changesState else { return self }
        return Revision(version: version + 1, modifiedAt: now, deviceID: deviceID)
    }
}

extension BatchReading {
    /// What the device's totals contain; nil if that isn't known any more.
    fileprivate func base(of batch: SyncBatch) -> Base? {
        if batch.baseVersion == 0 { return .nothing }
        guard let row = batches.first(where: { !$0.isReplay }) else { return nil }
        return Base(hand: row.hand, at: row.receivedAt, isOwn: row.deviceID == batch.device.id.text)
    }

    /// What other devices brought since, and at last what the merge has judged anew: of what two did at once.
    fileprivate func othersSessions(
        after merge: Merge,
        by deviceID: String,
        as revision: Revision
    ) -> [StoredSession] {
        let changed = merge.ledger.judgements.filter { key, judgement in
            key.deviceID != deviceID && stored.ledger.judgements[key] != judgement
        }
        let judgedAnew = changed.compactMap { key, judgement in
            merge.ledger.sessions[key].map { StoredSession($0, judgement, syncVersion: revision.version) }
        }
        let asTheyWere = othersSessions.filter { changed[$0.key] == nil }
        return asTheyWere
            + judgedAnew.sorted { ($0.deviceId, $0.id, $0.startedAt) < ($1.deviceId, $1.id, $1.startedAt) }
    }
}

extension Problem {
    static func tooManySessions(_ field: String) -> Problem {
        Problem(
            .unprocessableContent,
            "too_many_sessions",
            "More sessions than a person can have",
            detail: "at most \(SyncRoutes.mostSessions)",
            field: field
        )
    }

    fileprivate static let batchIDTaken = Problem(
        .unprocessableContent,
        "batch_id_taken",
        "That batchId was used for another batch",
        field: "batchId"
    )

    fileprivate static let deviceRevoked = Problem(
        .forbidden,
        "device_revoked",
        "That device was revoked; a sync by a sign-in on it brings it back",
        field: "device.id"
    )

    fileprivate static let nothingToReset = Problem(.notFound, "nothing_to_reset", "Nothing was synced yet")
}
