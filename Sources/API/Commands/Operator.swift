import ArgumentParser
import Foundation
import PGClient
import Tenancy

/// What an operator does by hand, with the rights of the migrating role.
struct OrganizationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "organization",
        abstract: "Company tenants.",
        subcommands: [Create.self, Suspend.self, Resume.self, Delete.self, Receipt.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates a company that holds a mail domain."
        )

        @Argument(help: "The company's name.") var name: String
        @Option(help: "A mail domain that you vouch for.") var domain: String
        @Option(help: "The uid of its first owner.", transform: parseUID) var owner: UUID

        func run() async throws {
            let id = try await asOperator { tx in
                try await tx.queryOne(
                    "select app.create_organization(\(name), \(domain), \(owner))",
                    as: UUID.self
                )
            }
            print(id.text)
        }
    }

    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Closes a company: no board, nobody joins, nothing is changed.",
            discussion: "Its members stay, and may leave; `resume` opens it again, as it was."
        )

        @Argument(help: "The company's id.", transform: parseUID) var organization: UUID

        func run() async throws {
            try await asOperator { try await $0.suspendOrganization(organization, true, at: Date()) }
            print("suspended")
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Opens a suspended company again.")

        @Argument(help: "The company's id.", transform: parseUID) var organization: UUID

        func run() async throws {
            try await asOperator { try await $0.suspendOrganization(organization, false, at: Date()) }
            print("resumed")
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Closes a company, and deletes it after seven days.",
            discussion: "Within these, its owner can open it again. `receipt` tells what became of it."
        )

        @Argument(help: "The company's id.", transform: parseUID) var organization: UUID

        func run() async throws {
            let receipt = try await asOperator { tx in
                try await tx.orderDeletion(of: organization, at: Date())
                return try await tx.deletionReceipt(of: organization)
            }
            if let receipt { print(receipt) }
        }
    }

    struct Receipt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints what was deleted of a company: rows by table, and when."
        )

        @Argument(help: "The company's id.", transform: parseUID) var organization: UUID

        func run() async throws {
            guard let receipt = try await asOperator({ try await $0.deletionReceipt(of: organization) })
            else {
                throw Failure(description: "nobody asked to delete that company")
            }
            print(receipt)
        }
    }
}

struct EmailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "email",
        abstract: "Verified addresses.",
        subcommands: [Record.self]
    )

    struct Record: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Records an address that you have verified."
        )

        @Argument(help: "The address.") var address: String
        @Option(help: "Whose it is.", transform: parseUID) var uid: UUID

        func run() async throws {
            try await asOperator { tx in
                _ = try await tx.execute("select app.record_email(\(uid), \(address))")
            }
        }
    }
}

/// Acts for nobody in particular, with the rights of the role that migrates.
func asOperator<Result: Sendable>(
    _ body: @Sendable (PGTransaction) async throws -> Result
) async throws -> Result {
    let settings = try Settings(environment: ProcessInfo.processInfo.environment)
    let url = try settings.require(
        settings.migrationDatabaseURL ?? settings.databaseURL,
        "MIGRATION_DATABASE_URL"
    )
    let pool = PGPool(PGConfiguration(url))
    let result = try await pool.transaction(opening: "set local role breathmaster_owner", body)
    await pool.close()
    return result
}

/// Acts on one person's behalf, with the rights of the role that migrates.
func asOperator<Result: Sendable>(
    on uid: UUID,
    _ body: @Sendable (TenantTransaction) async throws -> Result
) async throws -> Result {
    let settings = try Settings(environment: ProcessInfo.processInfo.environment)
    let url = try settings.require(
        settings.migrationDatabaseURL ?? settings.databaseURL,
        "MIGRATION_DATABASE_URL"
    )
    let pool = PGPool(PGConfiguration(url))
    let result = try await TenantDatabase(pool: pool).operate(on: Principal(uid: uid), body)
    await pool.close()
    return result
}

@Sendable func parseUID(_ text: String) throws -> UUID {
    guard let uid = UUID(uuidString: text) else { throw ValidationError("\(text) is not a uid") }
    return uid
}
