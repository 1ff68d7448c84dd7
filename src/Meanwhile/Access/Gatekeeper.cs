using System.Security.Cryptography.X509Certificates;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Access;

/// <summary>Says who may connect to the embedded broker, and what they may do there, by the files that are in force.</summary>
/// <param name="users">Users and their passwords; null when nobody is asked for one.</param>
/// <param name="accessList">Who may do what; null for everybody everything.</param>
/// <param name="allowAnonymous">Clients without a name are let in also where there are users.</param>
/// <param name="time">The clock.</param>
internal sealed class Gatekeeper(
    WatchedFiles<IReadOnlyDictionary<string, PasswordHash>>? users, WatchedFiles<AccessList>? accessList, bool allowAnonymous, TimeProvider time) : IDisposable
{
    private const string CommonName = "2.5.4.3";
    private readonly PasswordCheck _check = new(Environment.ProcessorCount, time);

    /// <summary>Answers a login. A certificate counts more than a name and a password.</summary>
    public ValueTask<LoginAnswer> AnswerAsync(Login login, CancellationToken stop)
    {
        if (login.Peer.Certificate is { } certificate)
        {
            return ValueTask.FromResult(NameOf(certificate) is { } name
                ? LoginAnswer.Accept(PermissionsOf(name, login.ClientId))
                : LoginAnswer.Refuse(ReasonCode.NotAuthorized, $"the subject of its certificate, '{certificate.Subject}', has not one common name"));
        }
        if (users is null || (allowAnonymous && login.UserName is null))
            return ValueTask.FromResult(LoginAnswer.Accept(PermissionsOf(user: null, login.ClientId)));
        return login.UserName is { } userName
            ? CheckAsync(login, userName, stop)
            : ValueTask.FromResult(LoginAnswer.Refuse(ReasonCode.NotAuthorized, $"no user name, from {login.Peer.Address}"));
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
        return LoginAnswer.Accept(PermissionsOf(userName, login.ClientId) with { MayStay = Unchanged(userName, hash!.ToString()) });
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

    private Permissions PermissionsOf(string? user, string clientId)
    {
        if (accessList is null)
            return new Permissions(static _ => true, static _ => true);
        var known = Fill(accessList.Current);
        return new Permissions(topic => Rules().MayPublish(topic), filter => Rules().MaySubscribe(filter)) { MayRead = topic => Rules().MayRead(topic) };

        ClientRules Rules()
        {
            var (current, filled) = (accessList.Current, known); // On any thread: what is replaced, is replaced as a whole.
            if (!ReferenceEquals(current, filled.List))
                known = filled = Fill(current);
            return filled.Rules;
        }

        FilledList Fill(AccessList list) => new(list, list.For(user, clientId));
    }

    private static string? NameOf(X509Certificate2 certificate)
    {
        var names = certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(name => !name.HasMultipleElements && name.GetSingleElementType().Value == CommonName)
            .Select(name => name.GetSingleElementValue())
            .ToList();
        return names is [{ Length: > 0 } name] ? name : null;
    }

    private sealed record FilledList(AccessList List, ClientRules Rules);
}
