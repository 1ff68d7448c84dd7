using Meanwhile.Feeds;

namespace Meanwhile.Tests.Feeds;

public class ProxyNetworkTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("10.1.2.3", "10.1.2.3/32")]
    [InlineData("10.0.0.0/8, 127.0.0.1,2001:DB8::/32,::1", "10.0.0.0/8 127.0.0.1/32 2001:db8::/32 ::1/128")]
    [InlineData("0.0.0.0/0,::/0", "0.0.0.0/0 ::/0")]
    [InlineData("10.1.2.3/8", "10.0.0.0/8")]
    public void Proxies_are_named_by_addresses_and_networks(string text, string meant) => Assert.Equal(meant, string.Join(' ', ProxyNetwork.ParseList(text)));

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("10/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.1,")]
    [InlineData("10.0.0.1 10.0.0.2")]
    [InlineData("10.0.0.01")]
    [InlineData("10.0.0.1:80")]
    [InlineData("2001:db8::/129")]
    [InlineData("::ffff:10.0.0.0/104")]
    [InlineData("fe80::1%1")]
    [InlineData("[::1]")]
    [InlineData("haproxy.example")]
    public void What_is_neither_is_refused(string text) => Assert.Throws<FormatException>(() => ProxyNetwork.ParseList(text));
}
