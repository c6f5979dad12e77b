import CContract
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// What the server promises: `openapi.yaml`, and the same as a page to read.
struct ContractRoutes: Sendable {
    private let document = ContractText(contract_document(), type: "application/yaml")
    private let page = ContractText(contract_page(), type: "text/html; charset=utf-8")

    func add(to routes: some RouterMethods<AppContext>) {
        routes.get("openapi.yaml", use: readDocument)
        routes.get("docs", use: readPage)
    }

    /// `GET /openapi.yaml`: for programs. For web pages of others too: it is no secret, and
    /// there are tools that run in a browser.
    @Sendable func readDocument(_ request: Request, in context: AppContext) async throws -> Response {
        var response = document.response(to: request)
        response.headers[.accessControlAllowOrigin] = "*"
        return response
    }

    /// `GET /docs`: for people. The page runs no script and loads nothing.
    @Sendable func readPage(_ request: Request, in context: AppContext) async throws -> Response {
        var response = page.response(to: request)
        response.headers[.contentSecurityPolicy] = """
            default-src 'none'; style-src '\(page.styleHash)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
            """
        return response
    }
}

/// A text that is part of the program.
private struct ContractText {
    private let bytes: ByteBuffer
    private let type, entityTag: String
    /// By which a Content-Security-Policy knows the page's own style.
    let styleHash: String

    init(_ text: contract_text, type: String) {
        let data = Data(UnsafeBufferPointer(start: text.start, count: text.length))
        bytes = ByteBuffer(bytes: data)
        self.type = type
        entityTag =
            "\"" + SHA256.hash(data: data).prefix(8).map { String(format: "%02x", $0) }.joined() + "\""
        let style = String(decoding: data, as: UTF8.self).firstMatch(of: /(?s)<style>(.*?)<\/style>/)?.1 ?? ""
        styleHash = "sha256-" + Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
    }

    func response(to request: Request) -> Response {
        let headers: HTTPFields = [
            .contentType: type, .eTag: entityTag, .cacheControl: "no-cache", .xContentTypeOptions: "nosniff",
        ]
        if request.headers[.ifNoneMatch].map({ $0 == "*" || $0.contains(entityTag) }) ?? false {
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }
}
