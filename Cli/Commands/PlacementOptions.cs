using System.CommandLine;

namespace Hosting.Cli.Commands;

/// <summary>Options about where replicas may go.</summary>
internal static class PlacementOptions
{
    public static Option<string?> Spread() =>
        OneOf("--spread", "server: replicas avoid sharing a server, and a VM. none: the server with most headroom takes them (server).", "server", "none");

    public static Option<string?> Mode() =>
        OneOf("--placement", "What happens when not all replicas fit: asManyAsFit places those that do, allOrNothing none (asManyAsFit).",
            "asManyAsFit", "allOrNothing");

    public static Option<string[]> Constraints() => new("--constraint")
    {
        Description = "Label that a server must carry, with that value; once for each. See: hosting servers",
        HelpName = "LABEL=VALUE", Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false,
    };

    private static Option<string?> OneOf(string name, string description, params string[] values)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = string.Join('|', values) };
        option.AcceptOnlyFromAmong(values);
        return option;
    }
}
