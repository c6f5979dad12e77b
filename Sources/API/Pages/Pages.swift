import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Mustache

/// The few pages that there are: rendered here, without scripts or anything from elsewhere.
struct Pages: Sendable {
    enum Name: String, Sendable {
        case device, confirmDevice, message, verifyEmail, newPassword
    }

    private let library: MustacheLibrary
    private let css: String
    private let headers: HTTPFields

    /// - Parameter target: where a form may lead beside here, such as to a provider.
    /// - Throws: what is wrong with a template.
    init(_ site: Site, formsLeadTo target: String? = nil) throws {
        typealias Files = PackageResources
        library = MustacheLibrary(
            templates: try [
                "layout": Files.layout_mustache, "device": Files.device_mustache,
                "confirmDevice": Files.confirmDevice_mustache, "message": Files.message_mustache,
                "verifyEmail": Files.verifyEmail_mustache, "newPassword": Files.newPassword_mustache,
            ]
            .mapValues { try MustacheTemplate(string: String(decoding: $0, as: UTF8.self)) }
        )
        css = String(decoding: Files.page_css, as: UTF8.self)
        let style = Data(SHA256.hash(data: Data(css.utf8))).base64EncodedString()
        headers = Self.headers(
            style: style,
            targets: ["'self'", target].compactMap(\.self).joined(separator: " "),
            isSecure: site.isSecure
        )
    }

    func response(
        _ name: Name,
        _ values: [String: String] = [:],
        status: HTTPResponse.Status = .ok
    ) throws -> Response {
        let values = values.merging(["css": css]) { $1 }
        guard let html = library.render(values, withTemplate: name.rawValue) else { throw Problem.unexpected }
        return Response(
            status: status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: html))
        )
    }

    func message(_ title: String, _ text: String, status: HTTPResponse.Status = .ok) throws -> Response {
        try response(.message, ["title": title, "text": text], status: status)
    }

    /// What went wrong, for people.
    func message(_ problem: Problem) throws -> Response {
        var response = try message(
            problem.title,
            problem.retryAfter.map { "Please try again in \($0) seconds." } ?? problem.detail ?? "",
            status: problem.status
        )
        if let retryAfter = problem.retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        return response
    }

    private static func headers(style: String, targets: String, isSecure: Bool) -> HTTPFields {
        var headers = HTTPFields.ofPage(style: style, forms: targets, isSecure: isSecure)
        headers[.contentType] = "text/html; charset=utf-8"
        headers[.cacheControl] = "no-store"
        return headers
    }
}

extension HTTPFields {
    /// What keeps a page of ours to itself (OWASP ASVS 5.0 §3.4).
    ///
    /// - Parameters:
    ///   - style: the SHA-256 of its one style, in Base64; nil where there is none.
    ///   - forms: where its forms may go, as a Content-Security-Policy says it.
    static func ofPage(style: String?, forms: String, isSecure: Bool) -> HTTPFields {
        let styles = style.map { "style-src 'sha256-\($0)'; " } ?? ""
        var headers: HTTPFields = [
            .contentSecurityPolicy:
                "default-src 'none'; \(styles)form-action \(forms); base-uri 'none'; frame-ancestors 'none'",
            .xContentTypeOptions: "nosniff",
        ]
        headers[.referrerPolicy] = "no-referrer"
        headers[.crossOriginOpenerPolicy] = "same-origin"
        if isSecure { headers[.strictTransportSecurity] = "max-age=31536000; includeSubDomains" }
        return headers
    }
}

extension HTTPField.Name {
    static let referrerPolicy = known("Referrer-Policy")
    static let crossOriginOpenerPolicy = known("Cross-Origin-Opener-Policy")
}
