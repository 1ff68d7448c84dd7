FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
# What decides the packages comes first, so that a change of the code does not fetch them again.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY src/Meanwhile.Mqtt/Meanwhile.Mqtt.csproj src/Meanwhile.Mqtt/packages.lock.json src/Meanwhile.Mqtt/
COPY src/Meanwhile.Trials/Meanwhile.Trials.csproj src/Meanwhile.Trials/packages.lock.json src/Meanwhile.Trials/
COPY src/Meanwhile.Windows/Meanwhile.Windows.csproj src/Meanwhile.Windows/packages.lock.json src/Meanwhile.Windows/
COPY src/Meanwhile/Meanwhile.csproj src/Meanwhile/packages.lock.json src/Meanwhile/
RUN dotnet restore --locked-mode src/Meanwhile
COPY src src
# The analyzers have had their say outside. SQLite comes for thirty platforms; the image runs on two.
RUN dotnet publish --no-restore --output /app -p:RunAnalyzers=false -p:GenerateDocumentationFile=false src/Meanwhile \
 && find /app/runtimes -mindepth 1 -maxdepth 1 ! -name linux-x64 ! -name linux-arm64 -exec rm -r {} +

# The embedded broker listens with Kestrel.
FROM mcr.microsoft.com/dotnet/aspnet:10.0
# A new volume takes its owner from the folder that it covers: the program is not root, and writes here.
RUN mkdir /data && chown $APP_UID /data
VOLUME /data
ENV DB_FILE=/data/readings.db
COPY --from=build /app /app
USER $APP_UID
ENTRYPOINT ["/app/meanwhile"]
