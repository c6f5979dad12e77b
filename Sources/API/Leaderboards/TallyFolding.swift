import PGClient

/// Keeps the counts that ranks come from short: what syncs added is folded into them.
/// Ranks are right without it, and slower.
struct TallyFolding: Sendable {
    /// So many that a fold takes no longer than a request may.
    private static let most = 5_000

    let pool: PGPool

    /// Folds until nothing is left.
    func fold() async throws {
        while try await foldSome() == Self.most {}
    }

    private func foldSome() async throws -> Int {
        try await pool.transaction { tx in
            try await tx.queryOne("select app.fold_global_tally(\(Int32(Self.most)))", as: Int.self)
        }
    }
}
