using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Meanwhile.Access;
using Meanwhile.Logging;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Stores.Sqlite;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Feeds;

/// <summary>The broker in this process, with the files that say who may do what, and what it says of itself.</summary>
internal sealed class EmbeddedBroker : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly AccessControl _accessControl;
    private readonly Refusals _refusals;
    private readonly SessionEnder _ender;
    private readonly PeriodicTimer _timer;
    private readonly Action _reload;
    private readonly Task _chores;

    private EmbeddedBroker(MqttBroker broker, AccessControl accessControl, Refusals refusals, SessionEnder ender, IReadOnlyList<Action> chores, Action reload, TimeProvider time)
    {
        (Broker, _accessControl, _refusals, _ender, _reload) = (broker, accessControl, refusals, ender, reload);
        _timer = new PeriodicTimer(LookInterval, time);
        _chores = DoAsync(chores);
        Completion = EndAsync();
    }

    /// <summary>The broker.</summary>
    public MqttBroker Broker { get; }

    /// <summary>Ends when it is disposed, or with what made it impossible to go on: then it is to be disposed.</summary>
    public Task Completion { get; }

    /// <summary>Starts listening.</summary>
    /// <param name="options">How it is to be.</param>
    /// <param name="store">Where it keeps what outlives the process.</param>
    /// <param name="configure">What the host wants of it beside that.</param>
    /// <param name="logger">For where it listens, and what it refuses.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Gives up starting.</param>
    /// <exception cref="UserException">An address or a file cannot be used.</exception>
    public static async Task<EmbeddedBroker> StartAsync(
        EmbeddedOptions options, BrokerFile store, Func<BrokerOptions, BrokerOptions> configure, ILogger logger, TimeProvider time, CancellationToken stop)
    {
        if (options.Listeners.FirstOrDefault(listener => listener.IsOpen && !options.Asks(listener) && !options.AllowAnonymous) is { } open)
        {
            throw new UserException(
                $"{open}: whoever reaches this address could publish and subscribe there: expected a loopback address such as 127.0.0.1, or --users, or --client-ca with mqtts:// or wss://, or --allow-anonymous", ExitCode.Usage);
        }
        var refusals = new Refusals(logger, time);
        var users = options.UserFile is { } userFile ? new WatchedFiles<IReadOnlyDictionary<string, PasswordHash>>([userFile], texts => UserFile.Parse(texts[0])) : null;
        var accessList = options.AccessFile is { } accessFile ? new WatchedFiles<AccessList>([accessFile], texts => AccessList.Parse(texts[0])) : null;
        var tls = options.TlsFiles.Count > 0 ? new WatchedFiles<SslServerAuthenticationOptions>(options.TlsFiles, texts => TlsTerms.Parse(texts, refusals.AddCertificate)) : null;
        var accessControl = new AccessControl(users, accessList, options.AllowAnonymous, options.AsksForCertificates, time);
        var broker = await ListenAsync(options.Listeners, configure(new BrokerOptions
        {
            Listeners =
            [
                .. options.Listeners.Select(listener => new ListenerOptions(listener.EndPoint)
                {
                    IsWebSocket = listener.IsWebSocket,
                    Tls = listener.IsSecure ? () => tls!.Current : null,
                    TakesAnyHost = options.Asks(listener) && !options.AllowAnonymous,
                }),
                .. options.Inside is null ? Array.Empty<ListenerOptions>() : [new(new IPEndPoint(IPAddress.Loopback, 0)) { IsInside = true }],
            ],
            Proxies = options.Proxies,
            WebOrigins = options.WebOrigins,
            Limits = options.Limits,
            Store = store,
            Authenticate = (login, cancellation) => login.Peer.IsInside ? ValueTask.FromResult(options.Inside!.Answer(login)) : accessControl.AnswerAsync(login, cancellation),
            PermissionsOf = (user, clientId) => InsideLogin.PermissionsOf(user) ?? accessControl.PermissionsOf(user, clientId),
            Refused = refusals.Add,
            Filling = new QueueWarnings(options.Limits.WhenFull, logger, time).Add,
            Time = time,
        }), stop);
        Announce(options, broker, logger);
        var status = new BrokerStatus(broker, refusals, time);
        var ender = new SessionEnder(broker, store.Path, logger, time);
        return new EmbeddedBroker(
            broker,
            accessControl,
            refusals,
            ender,
            [
                () => users?.Check(logger),
                () => accessList?.Check(logger),
                () => tls?.Check(logger),
                () => status.PublishAtTimes(options.StatusInterval),
                ender.Look,
            ],
            Reload,
            time);

        void Reload()
        {
            users?.Reload(logger);
            accessList?.Reload(logger);
            tls?.Reload(logger);
            if (users is null && accessList is null && tls is null)
                Log.NothingToReload(logger);
        }
    }

    /// <summary>Reads certificates, users and access list again at once.</summary>
    public void Reload() => _reload();

    /// <summary>Whether nobody listens at an address yet.</summary>
    public static bool IsFree(IPEndPoint endPoint)
    {
        using var listener = new TcpListener(endPoint);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _chores.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _ender.DisposeAsync();
        await Broker.DisposeAsync();
        _accessControl.Dispose();
        _refusals.Sum(Broker.Statistics);
        await Completion;
    }

    private static async Task<MqttBroker> ListenAsync(IReadOnlyList<ListenAddress> listeners, BrokerOptions options, CancellationToken stop)
    {
        try
        {
            return await MqttBroker.StartAsync(options, stop);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new UserException(
                $"{string.Join(", ", listeners)}: the embedded broker cannot listen there ({BrokerFailure.Describe(e)}): expected a free port at an address of this machine", inner: e);
        }
    }

    private static void Announce(EmbeddedOptions options, MqttBroker broker, ILogger logger)
    {
        foreach (var (listener, endPoint) in options.Listeners.Zip(broker.EndPoints))
        {
            var address = listener with { EndPoint = endPoint };
            Log.Listening(logger, address);
            if (listener.IsOpen && !options.Asks(listener))
                Log.ListeningToAll(logger, address);
            else if (listener is { IsOpen: true, IsSecure: false })
                Log.ListeningInClear(logger, address);
        }
    }

    private async Task EndAsync()
    {
        await await Task.WhenAny(Broker.Completion, _chores);
        await Broker.Completion;
    }

    private async Task DoAsync(IReadOnlyList<Action> chores)
    {
        do
        {
            foreach (var chore in chores)
                chore();
        }
        while (await _timer.WaitForNextTickAsync(CancellationToken.None));
    }
}
