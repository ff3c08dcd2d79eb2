# An image with the gateway and nothing else: no shell, no package manager, not root. Its root file system may be
# read-only; what is kept lies in /var/lib/koine.
#
#   docker build -t koine .
#   docker run --read-only --cap-drop=ALL --security-opt=no-new-privileges -p 127.0.0.1:8585:8585 \
#     -v koine:/var/lib/koine -v "$PWD/master.key:/run/secrets/master.key:ro" koine
FROM rust:1.95-bookworm AS build
# The image's own toolchain, rather than whatever `stable` is today.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY . .
RUN cargo build --profile dist --locked --package koine \
    && install -D -m 0755 target/dist/koine /image/usr/bin/koine \
    && install -d -m 0700 /image/var/lib/koine

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build --chown=root:root /image/usr/ /usr/
COPY --from=build --chown=65532:65532 /image/var/lib/koine/ /var/lib/koine/
ENV KOINE_LISTEN=0.0.0.0:8585 \
    KOINE_DATA_DIR=/var/lib/koine \
    KOINE_MASTER_KEY_FILE=/run/secrets/master.key
USER 65532:65532
WORKDIR /var/lib/koine
VOLUME /var/lib/koine
EXPOSE 8585
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/bin/koine", "doctor", "--quick"]
ENTRYPOINT ["/usr/bin/koine"]
CMD ["serve"]
