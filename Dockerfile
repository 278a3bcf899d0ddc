# syntax=docker/dockerfile:1
# A static binary in an empty image: no shell, no package manager, not root.
# The same bytes as `make build` with the same Go: `make image` passes their digest,
# and the build fails where they differ.
ARG GO_VERSION=1.26.8
FROM golang:${GO_VERSION}-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download && go mod verify
COPY . .
ARG VERSION=dev
ARG REVISION=
ARG DIGEST=
RUN CGO_ENABLED=0 GOTOOLCHAIN=local go build -trimpath -buildvcs=false \
      -ldflags "-s -w -buildid= -X main.version=${VERSION} -X main.revision=${REVISION}" \
      -o /out/retentiond ./cmd/retentiond \
 && if [ -n "${DIGEST}" ]; then echo "${DIGEST#sha256:}  /out/retentiond" | sha256sum -c; fi \
 && mkdir -p /out/var/lib/retentiond /out/etc/retentiond /out/tmp && chmod 0700 /out/var/lib/retentiond

FROM scratch
ARG VERSION=dev
ARG REVISION=
ARG DIGEST=
LABEL org.opencontainers.image.title="retentiond" \
      org.opencontainers.image.description="Enforces data retention rules, honours litigation holds, proves what it did" \
      org.opencontainers.image.source="https://github.com/retentiond/retentiond" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      io.github.retentiond.binary.digest="${DIGEST}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/retentiond /usr/bin/retentiond
COPY --from=build /out/etc/retentiond /etc/retentiond
COPY --from=build --chown=65532:65532 /out/var/lib/retentiond /var/lib/retentiond
USER 65532:65532
WORKDIR /var/lib/retentiond
VOLUME ["/var/lib/retentiond"]
EXPOSE 8600
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/usr/bin/retentiond", "--config", "/etc/retentiond/retentiond.yaml", "healthcheck"]
ENTRYPOINT ["/usr/bin/retentiond"]
CMD ["--config", "/etc/retentiond/retentiond.yaml", "serve"]
