using Hosting.Gateway;

const int Failed = 1;
const int WrongConfiguration = 2;

var builder = GatewayApp.CreateBuilder(args);
var (options, errors) = GatewayOptions.Read(builder.Configuration);
foreach (var error in errors)
    Console.Error.WriteLine(error);
if (errors.Count > 0)
    return WrongConfiguration;

try
{
    await GatewayApp.Build(builder, options).RunAsync();
    return 0;
}
catch (IOException e)
{
    Console.Error.WriteLine($"Cannot listen on {options.Address}:{options.Port}: {e.Message} Stop what uses it, or set Hosting:Gateway:Port.");
    return Failed;
}
