using System.Security.Cryptography.X509Certificates;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Access;

/// <summary>Says who may connect to the embedded broker, and what they may do there, by the files that are in force.</summary>
/// <param name="users">Users and their passwords; null when nobody is asked for one.</param>
/// <param name="accessList">Who may do what; null for everybody everything.</param>
/// <param name="allowAnonymous">Clients without a name are let in also where there are users.</param>
/// <param name="asksForCertificates">There are listeners where clients show a certificate.</param>
/// <param name="time">The clock.</param>
internal sealed class AccessControl(
    WatchedFiles<IReadOnlyDictionary<string, PasswordHash>>? users, WatchedFiles<AccessList>? accessList, bool allowAnonymous, bool asksForCertificates, TimeProvider time) : IDisposable
{
    private const string CommonName = "2.5.4.3";
    private readonly PasswordCheck _check = new(Environment.ProcessorCount, time);

    private bool Asks => users is not null || asksForCertificates;

    /// <summary>Answers a login. A certificate counts more than a name and a password.</summary>
    public ValueTask<LoginAnswer> AnswerAsync(Login login, CancellationToken stop)
    {
        if (login.Peer.Certificate is { } certificate)
        {
            return ValueTask.FromResult(NameOf(certificate) is { } name
                ? LoginAnswer.Accept(PermissionsOf(name, login.ClientId, isListed: false), name)
                : LoginAnswer.Refuse(ReasonCode.NotAuthorized, $"the subject of its certificate, '{certificate.Subject}', has not one common name of printable characters"));
        }
        if (users is null || (allowAnonymous && login.UserName is null))
            return ValueTask.FromResult(LoginAnswer.Accept(PermissionsOf(user: null, login.ClientId, isListed: false), Asks ? "" : null));
        return login.UserName is { } userName
            ? CheckAsync(login, userName, stop)
            : ValueTask.FromResult(LoginAnswer.Refuse(ReasonCode.NotAuthorized, $"no user name, from {login.Peer.Address}"));
    }

    /// <summary>What a client may do whose session or will comes from an earlier process: what its login would allow today.</summary>
    /// <param name="user">Its user; empty for none, null if nobody knows.</param>
    /// <param name="clientId">What it calls itself.</param>
    public Permissions PermissionsOf(string? user, string clientId)
    {
        var unnamed = PermissionsOf(user: null, clientId, isListed: false);
        if (user is null)
            return Asks ? unnamed with { MayRead = static _ => true } : unnamed; // Messages that wait are judged again when they are sent, by the user who connects.
        if (user.Length > 0)
            return PermissionsOf(user, clientId, isListed: users is not null && !asksForCertificates);
        return users is null || allowAnonymous ? unnamed : new Permissions(static _ => false, static _ => false) { MayRead = static _ => false };
    }

    /// <inheritdoc/>
    public void Dispose() => _check.Dispose();

    private async ValueTask<LoginAnswer> CheckAsync(Login login, string userName, CancellationToken stop)
    {
        var hash = users!.Current.GetValueOrDefault(userName);
        var isRight = await _check.RunAsync(login.Peer.Address, userName, hash, login.Password ?? default, stop);
        if (isRight is null)
            return LoginAnswer.Refuse(ReasonCode.ServerBusy, $"too many logins at a time, from {login.Peer.Address}");
        if (isRight == false)
            return LoginAnswer.Refuse(ReasonCode.BadUserNameOrPassword, $"user '{userName}' from {login.Peer.Address}");
        return LoginAnswer.Accept(PermissionsOf(userName, login.ClientId, isListed: true) with { MayStay = Unchanged(userName, hash!.ToString()) }, userName);
    }

    // Who is taken out of the file, or gets another password there, has to go.
    private Func<bool> Unchanged(string user, string hash)
    {
        var known = users!.Current;
        return () =>
        {
            var current = users.Current;
            if (!ReferenceEquals(current, known) && current.GetValueOrDefault(user)?.ToString() == hash)
                known = current;
            return ReferenceEquals(current, known);
        };
    }

    // A user with a certificate need not be in the file of users.
    private Permissions PermissionsOf(string? user, string clientId, bool isListed)
    {
        if (accessList is null && !isListed)
            return new Permissions(static _ => true, static _ => true);
        var rules = new RulesInForce(accessList, isListed ? users : null, user, clientId);
        return new Permissions(rules.MayPublish, rules.MaySubscribe) { MayRead = rules.MayRead };
    }

    private static string? NameOf(X509Certificate2 certificate)
    {
        var names = certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(name => !name.HasMultipleElements && name.GetSingleElementType().Value == CommonName)
            .Select(name => name.GetSingleElementValue())
            .ToList();
        return names is [{ Length: > 0 } name] && !name.Any(char.IsControl) ? name : null;
    }
}
