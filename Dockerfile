# For people with Docker; `make image` makes a smaller image without a shell (docs/install.md).
FROM swift:6.3-bookworm AS build
WORKDIR /src
COPY . .
RUN scripts/setup.sh build \
    && swift build -c release --static-swift-stdlib --product gatehouse \
    && strip --strip-unneeded -o /gatehouse .build/release/gatehouse

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libevent-2.1-7 libevent-core-2.1-7 \
      libevent-extra-2.1-7 libexpat1 libjansson4 libpcre2-8-0 libpq5 libsqlite3-0 libssl3 libstdc++6 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 65532 --user-group --home-dir /var/lib/gatehouse --shell /usr/sbin/nologin gatehouse \
    && install -d -o gatehouse -g gatehouse -m 0700 /var/lib/gatehouse \
    && install -d /etc/gatehouse
COPY --from=build --chmod=0755 /gatehouse /usr/bin/gatehouse
COPY --from=build /src/policies/*.json /usr/share/gatehouse/policies/
COPY --from=build /src/schemas/*.json /usr/share/gatehouse/schemas/
ENV SWIFT_BACKTRACE=enable=no \
    GATEHOUSE_CONFIG=/etc/gatehouse/gatehouse.json
USER 65532:65532
WORKDIR /var/lib/gatehouse
EXPOSE 8080 9901
ENTRYPOINT ["/usr/bin/gatehouse"]
CMD ["serve"]
