import Domain
import Foundation
import PGClient
import Tenancy

extension TenantTransaction {
    /// What of this person's isn't what it is made of.
    func boardDifferences() async throws -> [BoardDifference] {
        async let ledger = wholeLedger().ledger
        async let standings = query(
            """
            select period, weekly_xp, weekly_streak, weekly_minutes, practised_days, total_xp, longest_streak, total_sessions,
              last_session_at, last_day_at, streak_at
            from app.standing
            where uid = \(principal.uid)
            """,
            as: StoredStanding.self
        )
        async let closings = query(
            """
            select period, closed_at from app.season
            where period in (select to_char(local_day, 'IYYY-"W"IW') from app.practice_day where uid = \(principal.uid)
              union select period from app.standing where uid = \(principal.uid))
            """,
            as: (String, Instant).self
        )
        async let arrivals = query(
            """
            select local_day, max(taken_over_at) from app.session
            where uid = \(principal.uid) and taken_over_at is not null group by local_day
            """,
            as: (LocalDay, Instant).self
        )
        async let projections = query(PGQuery<ProjectionDifference>(projectionDifferences))
        let (before, stored) = (try await ledger, try await standings)
        let closedAt = Dictionary(uniqueKeysWithValues: try await closings)
        let takenOverAt = Dictionary(uniqueKeysWithValues: try await arrivals)
        let owner = "user \(principal.uid.text)"
        let counted = before.recounted()
        return before.differences(fromDaysOf: counted, of: owner)
            + counted.differences(from: stored, closedAt: closedAt, takenOverAt: takenOverAt, of: owner)
            + (try await projections).map {
                BoardDifference(
                    owner: owner,
                    place: $0.place,
                    what: $0.what,
                    stored: $0.stored,
                    expected: $0.expected
                )
            }
    }

    /// The rows that others see, beside those that the standings and the person's agreements make.
    /// A row is compared member by member, as JSON.
    private var projectionDifferences: SQL {
        """
        with me as (
          select u.*, app.is_on_global_board(u) as on_global, app.is_on_company_boards(u) as on_company,
            app.shows_totals_globally(u) as totals_shown
          from app.user u
          where u.uid = \(principal.uid)
        ), standing as (
          select s.*, p.alias, p.alias is null and me.anonymized_display as lacks_alias, me.share_streaks
          from me
            join app.standing s on s.uid = me.uid
            left join app.pseudonym p on p.uid = s.uid and p.period = s.period and me.anonymized_display
        ), stored (place, j) as (
          select 'shown to friends, ' || period, jsonb_build_object('with_friends', with_friends, 'streak_shown', streak_shown)
          from app.standing where uid = \(principal.uid)
          union all
          select 'global board ' || period, to_jsonb(g) - array['uid', 'period'] from app.global_standing g
          where uid = \(principal.uid)
          union all
          select 'global totals', to_jsonb(t) - 'uid' from app.global_total t where uid = \(principal.uid)
          union all
          select format('board of company %s, %s', organization_id, period),
            to_jsonb(c) - array['uid', 'period', 'organization_id', 'team_challenge_participation',
              'team_challenge_participation_at']
          from app.company_standing c where uid = \(principal.uid)
          union all
          select format('global history %s by %s', period, metric),
            to_jsonb(r) - array['uid', 'period', 'metric', 'position', 'rank', 'entry_id']
          from app.global_season_rank r where uid = \(principal.uid)
          union all
          select format('history of company %s, %s by %s', organization_id, period, metric),
            to_jsonb(r) - array['uid', 'period', 'metric', 'position', 'rank', 'organization_id']
          from app.company_season_rank r where uid = \(principal.uid) and metric <> 'team_challenge_participation'
        ), expected (place, j) as (
          select 'shown to friends, ' || s.period,
            jsonb_build_object('with_friends', me.share_progress and me.friends_board, 'streak_shown', me.share_streaks)
          from me cross join standing s
          union all
          select 'global board ' || s.period, jsonb_build_object(
            'alias', case when s.lacks_alias then 'a pseudonym' else s.alias::text end,
            'display_name', case when s.alias is null then me.display_name else app.pseudonym_name(s.alias) end,
            'avatar_url', case when s.alias is null then me.avatar_url end,
            'stats_shown', me.stats_sharing <> 'minimal',
            'weekly_xp', s.weekly_xp, 'weekly_xp_at', s.last_session_at, 'weekly_xp_before', s.weekly_xp_before,
            'weekly_streak', case when s.share_streaks then s.weekly_streak end,
            'weekly_streak_at', case when s.share_streaks then s.streak_at end,
            'weekly_streak_before', case when s.share_streaks then s.weekly_streak_before end)
          from me cross join standing s
          where me.on_global and s.period <> 'all-time'
          union all
          select 'global totals', jsonb_build_object(
            'total_xp', s.total_xp, 'longest_streak', case when s.share_streaks then s.longest_streak end,
            'total_sessions', s.total_sessions)
          from me cross join standing s
          where me.totals_shown and s.period = 'all-time'
          union all
          select format('board of company %s, %s', m.organization_id, s.period), jsonb_build_object(
            'display_name', me.display_name, 'avatar_url', me.avatar_url,
            'real_name', case when me.show_real_name then me.real_name end,
            'weekly_minutes', s.weekly_minutes, 'weekly_minutes_at', s.last_session_at,
            'weekly_minutes_before', s.weekly_minutes_before,
            'weekly_consistency', (s.practised_days / 7.0)::float8, 'weekly_consistency_at', s.last_day_at,
            'weekly_consistency_before', (s.practised_days_before / 7.0)::float8)
          from me join app.member m on m.uid = me.uid cross join standing s
          where me.on_company and s.period <> 'all-time'
          union all
          select format('global history %s by %s', r.period, r.metric), jsonb_build_object(
            'alias', case when s.lacks_alias and r.shown then 'a pseudonym' else s.alias::text end,
            'display_name', case when s.alias is null then me.display_name else app.pseudonym_name(s.alias) end,
            'avatar_url', case when s.alias is null then me.avatar_url end,
            'shown', me.on_global and (r.metric <> 'weekly_streak' or s.share_streaks),
            'value', case r.metric when 'weekly_xp' then s.weekly_xp else s.weekly_streak end,
            'achieved_at', case r.metric when 'weekly_xp' then s.last_session_at else s.streak_at end)
          from me join app.global_season_rank r on r.uid = me.uid left join standing s on s.period = r.period
          union all
          select format('history of company %s, %s by %s', r.organization_id, r.period, r.metric), jsonb_build_object(
            'display_name', me.display_name, 'avatar_url', me.avatar_url,
            'real_name', case when me.show_real_name then me.real_name end, 'shown', me.on_company,
            'value', case r.metric when 'weekly_minutes' then s.weekly_minutes else (s.practised_days / 7.0)::float8 end,
            'achieved_at', case r.metric when 'weekly_minutes' then s.last_session_at else s.last_day_at end)
          from me join app.company_season_rank r on r.uid = me.uid left join standing s on s.period = r.period
          where r.metric <> 'team_challenge_participation'
        )
        select place, member.key, member.stored, member.expected
        from stored
          full join expected using (place)
          cross join lateral (
            select key, stored.j ->> key, expected.j ->> key
            from jsonb_object_keys(expected.j) as key
            where stored.j is not null and stored.j -> key is distinct from expected.j -> key
            union all
            select 'the row', case when stored.j is not null then 'there' end, case when expected.j is not null then 'one' end
            where stored.j is null or expected.j is null
          ) as member (key, stored, expected)
        order by place, member.key
        """
    }
}

private struct ProjectionDifference: PGRow {
    let place, what: String
    let stored, expected: String?

    init(from row: inout PGRowReader) throws {
        place = try row.next()
        what = try row.next()
        stored = try row.next()
        expected = try row.next()
    }
}

private struct StoredStanding: PGRow {
    let period: String
    let values: [String?]

    init(from row: inout PGRowReader) throws {
        period = try row.next()
        var values: [String?] = []
        for _ in 0..<7 { values.append((try row.next() as Int?).map(String.init)) }
        for _ in 0..<3 { values.append((try row.next() as Instant).description) }
        self.values = values
    }
}

extension Standing {
    /// What is compared, as it is stored.
    fileprivate static let names = [
        "weekly_xp", "weekly_streak", "weekly_minutes", "practised_days", "total_xp", "longest_streak",
        "total_sessions",
        "last_session_at", "last_day_at", "streak_at",
    ]

    fileprivate var values: [String?] {
        [
            weekly?.xp, weekly?.streak, weekly?.minutes, weekly?.practisedDays, allTime?.xp,
            allTime?.longestStreak,
            allTime?.sessions,
        ].map { $0.map(String.init) } + [lastSessionAt, lastDayAt, streakAt].map(\.description)
    }
}

extension Ledger {
    /// Of days as they are kept added up, from the days that the sessions make.
    fileprivate func differences(fromDaysOf counted: Ledger, of owner: String) -> [BoardDifference] {
        Set(days.keys).union(counted.days.keys).sorted().filter { days[$0] != counted.days[$0] }.map { day in
            BoardDifference(
                owner: owner,
                place: "practice on \(day)",
                what: "the day",
                stored: days[day]?.summary,
                expected: counted.days[day]?.summary
            )
        }
    }

    /// A closed week stays as it was, so it can be compared where nothing has come in since.
    ///
    /// - Parameter takenOverAt: when sessions of a day last came with another account.
    fileprivate func differences(
        from stored: [StoredStanding],
        closedAt: [String: Instant],
        takenOverAt: [LocalDay: Instant],
        of owner: String
    ) -> [BoardDifference] {
        let stored = Dictionary(uniqueKeysWithValues: stored.map { ($0.period, $0.values) })
        let counted = Dictionary(
            uniqueKeysWithValues: Standing.all(of: self).map { ($0.period.description, $0.values) }
        )
        return Set(stored.keys).union(counted.keys).sorted().flatMap { period -> [BoardDifference] in
            if let closing = closedAt[period], hasMoved(period, since: closing, takenOverAt) { return [] }
            guard let there = stored[period], let expected = counted[period] else {
                return [
                    BoardDifference(
                        owner: owner,
                        place: "standing \(period)",
                        what: "the row",
                        stored: stored[period].map { _ in "there" },
                        expected: counted[period].map { _ in "one" }
                    )
                ]
            }
            return zip(Standing.names, zip(there, expected)).filter { $0.1.0 != $0.1.1 }.map { name, values in
                BoardDifference(
                    owner: owner,
                    place: "standing \(period)",
                    what: name,
                    stored: values.0,
                    expected: values.1
                )
            }
        }
    }

    /// Whether a clear, a pardon or practice that came in, by a device or with another account, may have
    /// changed the week after it was closed. What was under way in that minute may be on either side.
    private func hasMoved(
        _ period: String,
        since closing: Instant,
        _ takenOverAt: [LocalDay: Instant]
    ) -> Bool {
        let moment = closing.advanced(by: -60_000)
        guard let week = Week(period), epochStartedAt.map({ $0 < moment }) ?? true else { return true }
        // When the sessions of those days came in is forgotten with them.
        if let detailFrom, week.monday.advanced(by: -1) < detailFrom { return true }
        let days = week.monday.advanced(by: -1)...week.monday.advanced(by: 7)
        return takenOverAt.contains { days.contains($0.key) && $0.value >= moment }
            || sessions.values.contains { session in
                (session.receivedAt >= moment || session.isPardoned) && days.contains(session.localDay)
            }
    }
}

extension PracticeDay {
    fileprivate var summary: String {
        "\(xp) XP, \(activeMilliseconds) ms, \(sessions) sessions, \(overlapXP) XP at once, \(firstEndedAt) to \(lastEndedAt)"
    }
}

extension PGTransaction {
    /// What of a week's counts and history isn't what the boards have.
    func boardDifferences(in week: String) async throws -> [BoardDifference] {
        let counts = try await query(
            "select metric, level, bucket, stored, expected from app.audit_tally(\(week))",
            as: (String, Int, Int, Int, Int).self
        )
        let places = try await query(
            "select organization_id, metric, what, stored, expected from app.audit_season(\(week))",
            as: (UUID?, String, String, String?, String?).self
        )
        return counts.map { metric, level, bucket, stored, expected in
            BoardDifference(
                owner: nil,
                place: "counts of the global board \(week) by \(metric)",
                what: level == 0
                    ? "people with \(bucket)" : "people from \(bucket * 128) to \(bucket * 128 + 127)",
                stored: "\(stored)",
                expected: "\(expected)"
            )
        }
            + places.map { organizationID, metric, what, stored, expected in
                BoardDifference(
                    owner: organizationID.map { "company \($0.text)" },
                    place: "history \(week) by \(metric)",
                    what: what,
                    stored: stored,
                    expected: expected
                )
            }
    }
}
