using Microsoft.Extensions.Logging;

namespace Meanwhile.Logging;

/// <summary>Every line that the program has to say, in one place.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "connected to {Broker} as {ClientId} (MQTT {Version})")]
    public static partial void Connected(ILogger logger, object broker, string clientId, string version);

    [LoggerMessage(2, LogLevel.Warning, "{Broker} is not there ({Reason}): waiting for it{Repeated}")]
    public static partial void BrokerAway(ILogger logger, object broker, string reason, string repeated);

    [LoggerMessage(3, LogLevel.Warning, "the connection to {Broker} is lost ({Reason}): connecting again{Repeated}")]
    public static partial void ConnectionLost(ILogger logger, object broker, string reason, string repeated);

    [LoggerMessage(4, LogLevel.Warning, "the broker refuses a result ({Reason}): {Advice}{Repeated}")]
    public static partial void ResultRefused(ILogger logger, string reason, string advice, string repeated);

    [LoggerMessage(121, LogLevel.Warning, "a result cannot be sent: its topic would be longer than {Longest} bytes; with this STATS_TOPIC, the topic of a series has {Room} at most{Repeated}")]
    public static partial void ResultTopicTooLong(ILogger logger, int longest, int room, string repeated);

    [LoggerMessage(122, LogLevel.Warning, "STATS_TOPIC is so long that only topics of at most {Room} bytes can have results: choose a shorter one")]
    public static partial void LittleRoomForResults(ILogger logger, int room);

    [LoggerMessage(123, LogLevel.Information, "results go to {StatsTopic}/TOPIC, for topics of at most {Room} bytes")]
    public static partial void ResultsGoTo(ILogger logger, string statsTopic, int room);

    [LoggerMessage(5, LogLevel.Debug, "{Broker} is still not there ({Reason})")]
    public static partial void BrokerStillAway(ILogger logger, object broker, string reason);

    [LoggerMessage(6, LogLevel.Information, "the broker knows MQTT 3.1.1 only")]
    public static partial void FellBack(ILogger logger);

    [LoggerMessage(7, LogLevel.Information, "{Address}: the embedded broker is listening")]
    public static partial void Listening(ILogger logger, object address);

    [LoggerMessage(8, LogLevel.Warning, "{Address} is open to the network without authentication: whoever reaches it may publish and subscribe")]
    public static partial void ListeningToAll(ILogger logger, object address);

    [LoggerMessage(9, LogLevel.Warning, "the session was lost by the broker; what it held for us while we were away is gone{Repeated}")]
    public static partial void SessionLost(ILogger logger, string repeated);

    [LoggerMessage(124, LogLevel.Warning, "MQTT 3.1.1 keeps nothing for a viewer: what was published while the connection was lost is not shown{Repeated}")]
    public static partial void NoSession(ILogger logger, string repeated);

    [LoggerMessage(10, LogLevel.Warning, "the broker holds a session of '{ClientId}' that this store knows nothing of: what waits there is taken in")]
    public static partial void SessionUnknown(ILogger logger, string clientId);

    [LoggerMessage(120, LogLevel.Information, "an earlier run's subscription to {Filter} was ended")]
    public static partial void SurplusEnded(ILogger logger, string filter);

    [LoggerMessage(11, LogLevel.Information, "subscribed to {Filter}")]
    public static partial void Subscribed(ILogger logger, string filter);

    [LoggerMessage(12, LogLevel.Information, "{Readings} readings of {Series} series read back")]
    public static partial void ReadBack(ILogger logger, int readings, int series);

    [LoggerMessage(100, LogLevel.Warning, "{Store}: {Readings} readings are left out: {Reason}{Repeated}")]
    public static partial void LeftOut(ILogger logger, string store, long readings, string reason, string repeated);

    [LoggerMessage(13, LogLevel.Warning, "no reading, kept in the quarantine: {Reason} (topic {Topic}){Repeated}")]
    public static partial void Quarantined(ILogger logger, string reason, string topic, string repeated);

    [LoggerMessage(210, LogLevel.Warning, "a reading is {Became}: {Reason} (topic {Topic}); known series continue{Repeated}")]
    public static partial void SeriesRefused(ILogger logger, string became, string reason, string topic, string repeated);

    [LoggerMessage(14, LogLevel.Warning, "older than the retention when it arrived: a reading on {Topic}{Repeated}")]
    public static partial void Expired(ILogger logger, string topic, string repeated);

    [LoggerMessage(110, LogLevel.Information, "ignored: {Cause} (topic {Topic}){Repeated}")]
    public static partial void Ignored(ILogger logger, string cause, string topic, string repeated);

    [LoggerMessage(111, LogLevel.Warning, "readings that are committed ({Count}) are more than {MaxAhead:0.###} s ahead of the clock (--max-ahead), which was wrong when they came or is wrong now: they are kept, and count when their time has come{Repeated}")]
    public static partial void Ahead(ILogger logger, int count, double maxAhead, string repeated);

    [LoggerMessage(112, LogLevel.Warning, "the clock has gone back by {Seconds} s: readings before {Cutoff:yyyy-MM-dd'T'HH:mm:ss'Z'} had expired by the earlier clock, and are gone")]
    public static partial void ClockWentBack(ILogger logger, long seconds, DateTime cutoff);

    [LoggerMessage(15, LogLevel.Warning, "results match the filter of the readings: passed over (topic {Topic}){Repeated}")]
    public static partial void OwnResult(ILogger logger, string topic, string repeated);

    [LoggerMessage(16, LogLevel.Error, "nothing can be committed, and nothing is acknowledged: {Reason}; trying again until it can{Repeated}")]
    public static partial void CommitWaits(ILogger logger, string reason, string repeated);

    [LoggerMessage(17, LogLevel.Information, "committing again")]
    public static partial void CommitsAgain(ILogger logger);

    [LoggerMessage(18, LogLevel.Information, "ledger: {Ledger}")]
    public static partial void LedgerAtEnd(ILogger logger, object ledger);

    [LoggerMessage(19, LogLevel.Debug, "received {Topic}: {Payload}")]
    public static partial void Received(ILogger logger, string topic, string payload);

    [LoggerMessage(20, LogLevel.Debug, "published {Payload} to {Topic}")]
    public static partial void Published(ILogger logger, string topic, string payload);

    [LoggerMessage(21, LogLevel.Warning, "this is no result: {Reason} (topic {Topic}){Repeated}")]
    public static partial void NoResult(ILogger logger, string reason, string topic, string repeated);

    [LoggerMessage(22, LogLevel.Information, "{Count} messages published, all acknowledged")]
    public static partial void AllPublished(ILogger logger, long count);

    [LoggerMessage(23, LogLevel.Information, "stopping")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(24, LogLevel.Information, "demo: broker {Broker}, database {Database}; Ctrl-C stops")]
    public static partial void DemoStarts(ILogger logger, object broker, string database);

    [LoggerMessage(25, LogLevel.Warning, "{Published} of {Count} messages were published and acknowledged before it was told to stop")]
    public static partial void PublishedSome(ILogger logger, long published, long count);

    [LoggerMessage(26, LogLevel.Warning, "windows reach back to {Start:yyyy-MM-dd'T'HH:mm:ss'Z'}, before the oldest reading there is: if older ones were deleted since, they are missing from the answer")]
    public static partial void MayBeIncomplete(ILogger logger, DateTime start);

    [LoggerMessage(85, LogLevel.Warning, "there is no reading of {Filter} until then, but some of {Other}, for one: --topic chooses whose are asked for")]
    public static partial void OnlyOthers(ILogger logger, string filter, string other);

    [LoggerMessage(27, LogLevel.Information, "{Count} readings exported")]
    public static partial void Exported(ILogger logger, long count);

    [LoggerMessage(28, LogLevel.Information, "{Report}")]
    public static partial void Imported(ILogger logger, object report);

    [LoggerMessage(29, LogLevel.Warning, "line {Line} is no reading: {Reason}")]
    public static partial void NotUnderstood(ILogger logger, long line, string reason);

    [LoggerMessage(30, LogLevel.Warning, "further lines that are no readings are only counted")]
    public static partial void MoreNotUnderstood(ILogger logger);

    [LoggerMessage(31, LogLevel.Information, "replayed: {Committed} readings committed, {Known} known by their identity, {Stayed} messages stay")]
    public static partial void Replayed(ILogger logger, long committed, long known, long stayed);

    [LoggerMessage(32, LogLevel.Information, "{Count} messages dropped from the quarantine")]
    public static partial void Dropped(ILogger logger, int count);

    [LoggerMessage(33, LogLevel.Information, "seed {Seed}; logs are in {Folder}")]
    public static partial void TrialStarts(ILogger logger, int seed, string folder);

    [LoggerMessage(34, LogLevel.Information, "the logs stay in {Folder}")]
    public static partial void TrialKept(ILogger logger, string folder);

    [LoggerMessage(35, LogLevel.Warning, "nothing moves any more: {What} {Count}")]
    public static partial void Stagnates(ILogger logger, string what, long count);

    [LoggerMessage(36, LogLevel.Warning, "the quarantine is full: its oldest {Count} messages were dropped ({Total} in all); see meanwhile quarantine --help")]
    public static partial void DroppedFromQuarantine(ILogger logger, int count, long total);

    [LoggerMessage(37, LogLevel.Warning, "the embedded broker has refused or closed the connection of '{ClientId}' ({Reason}{Explanation}){Repeated}")]
    public static partial void ClientRefused(ILogger logger, string clientId, object reason, string explanation, string repeated);

    [LoggerMessage(155, LogLevel.Warning, "the embedded broker has refused or closed a connection ({Reason}{Explanation}){Repeated}")]
    public static partial void ConnectionRefused(ILogger logger, object reason, string explanation, string repeated);

    [LoggerMessage(38, LogLevel.Warning, "the embedded broker has refused a message of '{ClientId}' ({Reason}{Explanation}){Repeated}")]
    public static partial void MessageRefused(ILogger logger, string clientId, object reason, string explanation, string repeated);

    [LoggerMessage(39, LogLevel.Warning, "the queue of the subscriber '{ClientId}' is full: a message for it was dropped{Repeated}")]
    public static partial void CopyDropped(ILogger logger, string clientId, string repeated);

    [LoggerMessage(165, LogLevel.Warning, "the queue of the subscriber '{ClientId}' is {Level}: {Messages} of {MostMessages} messages, {Bytes} of {MostBytes} bytes; it is {State}{Repeated}")]
    public static partial void QueueFills(ILogger logger, string clientId, string level, int messages, int mostMessages, long bytes, long mostBytes, string state, string repeated);

    [LoggerMessage(166, LogLevel.Information, "the session of '{ClientId}' was ended by meanwhile broker sessions end")]
    public static partial void SessionEnded(ILogger logger, string clientId);

    [LoggerMessage(40, LogLevel.Information, "embedded broker: refused or closed {Connections} connections and refused {Messages} messages, {Logins} logins, {Sessions} sessions of another user and {Subscriptions} subscriptions; dropped {Copies} messages of subscribers that were too slow")]
    public static partial void RefusedInAll(ILogger logger, long connections, long messages, long logins, long sessions, long subscriptions, long copies);

    [LoggerMessage(EventId = 145, Message = "the embedded broker has dropped {Count} messages of '{ClientId}': {Explanation}{Repeated}")]
    public static partial void MessagesDropped(ILogger logger, LogLevel level, int count, string clientId, string explanation, string repeated);

    [LoggerMessage(146, LogLevel.Information, "embedded broker: messages that did not arrive: {Expired} had expired, {TooLarge} were larger than their subscriber takes, {Unreadable} were for a subscriber that may not read them any more, {Unsent} waited at QoS 0 when the connection of their subscriber ended, {Discarded} waited when its session ended, {NotTakenIn} came at QoS 0 and were not taken in before the connection of their publisher ended, {NoMemory} came at QoS 0 when there was no memory left")]
    public static partial void DroppedInAll(ILogger logger, long expired, long tooLarge, long unreadable, long unsent, long discarded, long notTakenIn, long noMemory);

    [LoggerMessage(66, LogLevel.Information, "serving dashboard, API, metrics and health at {Address}")]
    public static partial void Serving(ILogger logger, object address);

    [LoggerMessage(67, LogLevel.Error, "a request failed, please report it: {Type}: {Reason}{Repeated}")]
    public static partial void RequestFailed(ILogger logger, string type, string reason, string repeated);

    [LoggerMessage(175, LogLevel.Warning, "a request over HTTP was refused (429): {Reason}{Repeated}")]
    public static partial void RequestRefused(ILogger logger, string reason, string repeated);

    [LoggerMessage(80, LogLevel.Warning, "telemetry: {Reason}{Repeated}")]
    public static partial void NotExported(ILogger logger, string reason, string repeated);

    [LoggerMessage(81, LogLevel.Information, "Home Assistant: {Series} series announced below {Topic}")]
    public static partial void Announced(ILogger logger, int series, string topic);

    [LoggerMessage(82, LogLevel.Warning, "Home Assistant: {Count} series have no sensors, because of --home-assistant-series or the length of their topics")]
    public static partial void NotAnnounced(ILogger logger, int count);

    [LoggerMessage(83, LogLevel.Warning, "Home Assistant: the broker refuses '{Topic}' ({Reason}): check what this user may read and write{Repeated}")]
    public static partial void AnnouncementRefused(ILogger logger, string topic, object reason, string repeated);

    [LoggerMessage(84, LogLevel.Error, "Home Assistant: nothing is announced any more: {Reason}")]
    public static partial void AnnouncerEnded(ILogger logger, string reason);

    [LoggerMessage(41, LogLevel.Warning, "{Store}: the server runs with fsync = off, so what it has committed, and we have acknowledged, may be gone after a crash of its machine")]
    public static partial void StoreIsVolatile(ILogger logger, object store);

    [LoggerMessage(60, LogLevel.Warning, "the embedded broker has not let '{ClientId}' in ({Reason}{Explanation}){Repeated}")]
    public static partial void LoginRefused(ILogger logger, string clientId, object reason, string explanation, string repeated);

    [LoggerMessage(61, LogLevel.Warning, "the embedded broker has refused a subscription of '{ClientId}' ({Reason}{Explanation}){Repeated}")]
    public static partial void SubscriptionRefused(ILogger logger, string clientId, object reason, string explanation, string repeated);

    [LoggerMessage(62, LogLevel.Warning, "{Address} is open to the network without TLS: passwords and messages can be read on their way; expected mqtts:// or wss://, or a network of one's own")]
    public static partial void ListeningInClear(ILogger logger, object address);

    [LoggerMessage(63, LogLevel.Information, "{Files}: changed, and in force from now on")]
    public static partial void Reloaded(ILogger logger, object files);

    [LoggerMessage(64, LogLevel.Error, "{Files}: changed, but what was in force before stays in force: {Problem}")]
    public static partial void NotReloaded(ILogger logger, object files, string problem);

    [LoggerMessage(137, LogLevel.Information, "{Files}: read again, and nothing in it has changed")]
    public static partial void NotChanged(ILogger logger, object files);

    [LoggerMessage(138, LogLevel.Information, "told to reload (SIGHUP), but there are no certificates, users or access list to be read again: a change of settings takes a restart")]
    public static partial void NothingToReload(ILogger logger);

    [LoggerMessage(65, LogLevel.Information, "{File}: {User} {What}")]
    public static partial void UserChanged(ILogger logger, string file, string user, string what);

    [LoggerMessage(68, LogLevel.Critical, "{Problem}")]
    public static partial void Failed(ILogger logger, string problem);

    [LoggerMessage(135, LogLevel.Warning, "{Count} log lines were dropped: nobody reads the log, or not fast enough")]
    public static partial void LinesDropped(ILogger logger, long count);

    [LoggerMessage(136, LogLevel.Warning, "{Count} results were not shown: nobody reads standard output, or not fast enough")]
    public static partial void ResultsDropped(ILogger logger, long count);
}
