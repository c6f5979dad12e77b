import HTTPTypes
import Hummingbird
import Logging
import PGClient

/// The one place where errors become answers: thrown problems, the database's
/// constraint names and SQLSTATEs, and, empty-handed, whatever is left.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = AppContext

    func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = try Self.problem(for: error, context: context).response(requestID: context.requestID)
        }
        if let name = HTTPField.Name("x-request-id") {
            response.headers[name] = context.requestID
        }
        return response
    }

    static func problem(for error: any Error, context: AppContext) -> Problem {
        switch error {
        case let problem as Problem:
            return problem
        case let error as PGError:
            let problem = Problem(error)
            if problem.status.code >= 500 {
                context.logger.error("database error", metadata: ["error": "\(String(reflecting: error))"])
            }
            return problem
        case let error as HTTPError:
            return error.status == .notFound
                ? .notFound
                : Problem(error.status, "bad_request", error.status.reasonPhrase, detail: error.body)
        case is CancellationError:
            return .unavailable
        default:
            context.logger.error("unexpected error", metadata: ["error": "\(String(reflecting: error))"])
            return .unexpected
        }
    }
}

extension Problem {
    /// The same for one that there isn't and one that is too small: of the latter nothing is told.
    static let teamNotOnBoard = Problem(
        .notFound,
        "team_not_on_board",
        "There is no such team with five or more members on that board",
        field: "team"
    )

    /// Constraint names are codes: each was named for the client.
    private static let byConstraint: [String: Problem] = [
        "user_display_name_invalid": .invalid(
            "displayName",
            "must have 1 to 40 characters, in Unicode normal form C"
        ),
        "friend_limit_reached": Problem(
            .conflict,
            "friend_limit_reached",
            "There is room for 500 friends and open requests, and all of it is taken"
        ),
        "friend_request_limit_reached": Problem(
            .conflict,
            "friend_request_limit_reached",
            "There is room for 100 open requests; withdrawing one makes room for another"
        ),
        "friend_blocked": Problem(
            .conflict,
            "friend_blocked",
            "You have blocked this person; unblocking them comes first"
        ),
        "friend_code_own": .invalid("code", "must be somebody else's"),
        "friend_code_taken": .unavailable,
        "block_of_another": .invalid("uid", "must be somebody else's"),
        "block_limit_reached": Problem(
            .conflict,
            "block_limit_reached",
            "There is room for 1000 blocks, and all of it is taken"
        ),
        "access_token_limit_reached": Problem(
            .conflict,
            "access_token_limit_reached",
            "There is room for 20 tokens; revoking one makes room for another"
        ),
        "organization_key_limit_reached": Problem(
            .conflict,
            "organization_key_limit_reached",
            "There is room for 20 keys; revoking one makes room for another"
        ),
        "directory_user_name_taken": .taken("userName", by: "another user"),
        "directory_user_external_id_taken": .taken("externalId", by: "another user"),
        "directory_group_name_taken": .taken("displayName", by: "another group"),
        "directory_group_external_id_taken": .taken("externalId", by: "another group"),
        "directory_group_member_user": .invalid("members", "must be users of the company"),
        "not_permitted": Problem(
            .forbidden,
            "not_permitted",
            "Your role in the organization does not allow that"
        ),
        "last_owner": Problem(
            .conflict,
            "last_owner",
            "The organization's last owner; it has to be handed over first"
        ),
        "organization_limit_reached": Problem(
            .conflict,
            "organization_limit_reached",
            "A person owns 10 organizations at most"
        ),
        "organization_name_invalid": .invalid("name", "must have 1 to 80 visible characters"),
        "organization_audit_retention_invalid": .invalid(
            "auditRetentionDays",
            "must be from 90 to 36500, or null for ever"
        ),
        "organization_max_sign_in_age_hours_invalid": .invalid(
            "maxSignInAgeHours",
            "must be from 1 to 8760, or null"
        ),
        "sign_in_too_old": Problem(
            .forbidden,
            "sign_in_too_old",
            "The organization wants a more recent sign-in; signing in again is one"
        ),
        "team_not_on_board": .teamNotOnBoard,
        "team_name_invalid": .invalid("name", "must have 1 to 80 visible characters"),
        "team_name_taken": .taken("name", by: "another team"),
        "team_limit_reached": Problem(
            .conflict,
            "team_limit_reached",
            "There is room for 500 teams, and all of it is taken"
        ),
        "ownership_offer_invalid": .invalid("uid", "must be a member who is no owner"),
        "role_invalid": .invalid("role", "must be admin, analyst or member"),
        "domain_claim_taken": Problem(
            .conflict,
            "domain_taken",
            "Another organization holds that domain, until its record is missing for a week",
            field: "domain"
        ),
        "domain_limit_reached": Problem(
            .conflict,
            "domain_limit_reached",
            "There is room for 50 domains, and all of it is taken"
        ),
        "agreement_stale": Problem(
            .conflict,
            "agreement_stale",
            "What the organization would see has changed; the preview shows it as it is",
            field: "agreement"
        ),
        "domain_not_proved": Problem(
            .conflict,
            "domain_not_proved",
            "The organization has to prove a domain first"
        ),
        "invitation_outside_domains": .invalid(
            "address",
            "must be in a domain that the organization has proved"
        ),
        "invitation_limit_reached": Problem(
            .conflict,
            "invitation_limit_reached",
            "There is room for 500 invitations, and all of it is taken"
        ),
        "email_claim_taken": Problem(
            .conflict,
            "email_taken",
            "That address belongs to another account",
            detail: "whoever has both accounts can merge them: POST /v1/me/merge",
            field: "address"
        ),
        "identity_taken": Problem(
            .conflict,
            "identity_taken",
            "That sign-in belongs to another account",
            detail: "whoever has both accounts can merge them: POST /v1/me/merge"
        ),
        "identity_present": Problem(
            .conflict,
            "identity_present",
            "Another sign-in of that provider is linked; unlinking it comes first"
        ),
        "last_way_in": Problem(
            .conflict,
            "last_way_in",
            "There would be no way into the account; a recovery code or a password with an address comes first"
        ),
        "email_limit_reached": Problem(
            .conflict,
            "email_limit_reached",
            "There is room for 10 addresses, and all of it is taken"
        ),
        "challenge_limit_reached": Problem(
            .unprocessableContent,
            "too_many_challenges",
            "More challenges than a person can have",
            detail: "at most 20000",
            field: "challengeClaims"
        ),
        "device_name_invalid": .invalid("name", "must have 1 to 80 characters, in Unicode normal form C"),
    ]

    private static func taken(_ field: String, by whom: String) -> Problem {
        Problem(.conflict, "taken", "It is taken by \(whom) of the company", field: field)
    }

    init(_ error: PGError) {
        if let constraint = error.constraint, let known = Self.byConstraint[constraint] {
            self = known
            return
        }
        guard let state = error.sqlState?.rawValue else {
            self = error.isUnavailability ? .unavailable : .unexpected
            return
        }
        self =
            switch (state, state.prefix(2)) {
            case ("BM401", _): .unauthorized
            case ("BM404", _): .notFound
            case ("BM413", _): .tooManySessions("sessions")
            case ("BM422", _): .invalid("uid", "must be somebody else's")
            case ("40001", _), ("40P01", _), ("55P03", _), ("57014", _): .unavailable
            case (_, "53"), (_, "57"), (_, "08"): .unavailable
            case ("22021", _):
                Problem(.unprocessableContent, "invalid_text", "Text that the database cannot store")
            default: .unexpected
            }
    }
}
