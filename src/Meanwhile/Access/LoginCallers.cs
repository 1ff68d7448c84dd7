using System.Net;
using System.Net.Sockets;

namespace Meanwhile.Access;

/// <summary>Who tries to log in, by address: what waits, and what went wrong lately. It is bounded; what is oldest is forgotten first.</summary>
internal sealed class LoginCallers
{
    private const int MostCallers = 10_000;
    private const int MostWaiting = 1000;
    private const int MostWaitingOfOne = 200;

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, LoginCaller> _callers = [];
    private int _waiting;

    /// <summary>Someone comes to wait for an answer.</summary>
    /// <returns>Null when too many wait.</returns>
    public LoginCaller? Enter(IPAddress? address, TimeSpan now)
    {
        var key = KeyOf(address);
        lock (_gate)
        {
            var isKnown = _callers.TryGetValue(key, out var caller);
            if (_waiting >= MostWaiting || caller?.Waiting >= MostWaitingOfOne)
                return null;
            if (!isKnown && _callers.Count >= MostCallers)
                Forget(now);
            if (!isKnown)
                _callers.Add(key, caller = new LoginCaller(key));
            _waiting++;
            caller!.Waiting++;
            return caller;
        }
    }

    /// <summary>It has its answer.</summary>
    public void Leave(LoginCaller caller)
    {
        lock (_gate)
        {
            _waiting--;
            if (--caller.Waiting == 0 && !caller.HasFailed)
                _callers.Remove(caller.Address);
        }
    }

    // Those who wait are fewer than this table holds, so somebody can always go.
    private void Forget(TimeSpan now)
    {
        var idle = _callers.Values.Where(caller => caller.Waiting == 0).ToList();
        var forgiven = idle.Where(caller => caller.IsForgiven(now)).ToList();
        foreach (var caller in forgiven.Count > 0 ? forgiven : [idle.MinBy(caller => caller.LastFailure)!])
            _callers.Remove(caller.Address);
    }

    // A network of IPv6 gives everybody 64 bits of addresses.
    private static IPAddress KeyOf(IPAddress? address)
    {
        if (address is null)
            return IPAddress.None;
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
