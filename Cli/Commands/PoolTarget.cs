using System.Text.Json.Serialization.Metadata;
using Hosting.Cli.Api;

namespace Hosting.Cli.Commands;

/// <summary>A server or a VM that a command names.</summary>
/// <param name="Id"><c>region/server</c> or <c>region/server/vm</c>.</param>
internal sealed record PoolTarget(string Id)
{
    /// <summary>Its path in the API.</summary>
    public string Path => $"v1/{(Id.Count(c => c == '/') == 1 ? "servers" : "vms")}/{string.Join('/', Id.Split('/').Select(Uri.EscapeDataString))}";

    /// <summary>What a user wrote; a name without its region is looked up.</summary>
    /// <exception cref="CommandException">There is no such server or VM, or several.</exception>
    public static async Task<PoolTarget> Resolve(Invocation call, string written, CancellationToken cancel)
    {
        var parts = written.Split('/');
        if (parts.Length > 3 || parts.Any(string.IsNullOrWhiteSpace))
            throw CommandException.Usage($"'{written}' names no server and no VM: it should look like eu-1/srv-1 or eu-1/srv-1/vm-1.");
        return parts.Length == 1 ? new(await ServerId(call, written, cancel)) : new(written);
    }

    /// <summary>Calls the API for it. Two names may also be a server without its region, and a VM of it.</summary>
    public async Task<Answer<Machine>> Try(
        Invocation call, Func<string, JsonTypeInfo<Machine>, Task<Answer<Machine>>> send, CancellationToken cancel)
    {
        try
        {
            return await send(Path, AnswerJson.Default.Machine);
        }
        catch (ApiException e) when (e.Problem.Status == 404)
        {
            if (await VmId(call, cancel) is not { } vm) throw;
            return await send((this with { Id = vm }).Path, AnswerJson.Default.Machine);
        }
    }

    private async Task<string?> VmId(Invocation call, CancellationToken cancel)
    {
        if (Id.Count(c => c == '/') != 1) return null;
        var vms = await call.Api.Get("v1/vms", AnswerJson.Default.VmArray, cancel);
        var ids = vms.Value.Select(vm => vm.Id).Where(id => id.EndsWith("/" + Id, StringComparison.Ordinal)).ToArray();
        return ids.Length > 1 ? throw Ambiguous(Id, ids) : ids.SingleOrDefault();
    }

    private static async Task<string> ServerId(Invocation call, string name, CancellationToken cancel)
    {
        var servers = await call.Api.Get("v1/servers", AnswerJson.Default.ServerArray, cancel);
        var ids = servers.Value.Select(s => s.Id).Where(id => id.EndsWith("/" + name, StringComparison.Ordinal)).ToArray();
        return ids.Length switch
        {
            1 => ids[0],
            0 => throw new CommandException($"There is no server '{name}'. See: hosting servers"),
            _ => throw Ambiguous(name, ids),
        };
    }

    private static CommandException Ambiguous(string name, string[] ids) =>
        CommandException.Usage($"'{name}' is in several regions: say which of {string.Join(", ", ids)}.");
}
