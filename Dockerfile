# Build: the server alone, with Swift's libraries linked in.
FROM swift:6.3-bookworm AS build
RUN apt-get update -q \
 && apt-get install -q -y --no-install-recommends libargon2-dev libcurl4-openssl-dev libpq-dev libpsl-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# The dependencies change less often than the code.
COPY Package.* ./
RUN swift package resolve
COPY Sources Sources
# Part of the program, which serves it.
COPY openapi.yaml .
# The manifest names the tests, so their folders have to be there.
COPY Tests Tests
RUN swift build --explicit-target-dependency-import-check error \
      --configuration release --static-swift-stdlib --product breathmaster \
 && install -D --strip "$(swift build --configuration release --static-swift-stdlib --show-bin-path)/breathmaster" \
      /image/usr/local/bin/breathmaster

# Run: libpq, libcurl, libargon2, libpsl with its list, and somebody who is not root.
FROM debian:bookworm-slim
RUN apt-get update -q \
 && apt-get install -q -y --no-install-recommends ca-certificates libargon2-1 libcurl4 libpq5 libpsl5 publicsuffix tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --home-dir /var/lib/breathmaster --create-home breathmaster
COPY --from=build /image/ /
COPY sql/migrations /usr/share/breathmaster/sql/migrations
ENV BREATHMASTER_HOST=0.0.0.0 \
    BREATHMASTER_PORT=8080 \
    BREATHMASTER_HOME=/var/lib/breathmaster \
    BREATHMASTER_SQL=/usr/share/breathmaster/sql
USER breathmaster
WORKDIR /var/lib/breathmaster
VOLUME /var/lib/breathmaster
EXPOSE 8080
# Asks as a client would, with what the image has: bash can speak TCP.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["bash", "-c", "exec 3<>\"/dev/tcp/127.0.0.1/$BREATHMASTER_PORT\" && printf 'GET /health/live HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["breathmaster"]
CMD ["serve"]
